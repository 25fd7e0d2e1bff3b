namespace CnnSpec.Data;

/// <summary>Lets one process at a time prepare a data set. The system takes the lock back if its holder dies.</summary>
internal sealed class CacheLock : IDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(200);
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private readonly FileStream _file;

    private CacheLock(FileStream file) => _file = file;

    /// <summary>Waits for as long as another process holds it, and reports that once.</summary>
    public static async Task<CacheLock> Take(
        DataCache cache,
        string name,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        string path = Path.Combine(cache.Root, $".lock-{name}");
        bool reported = false;
        while (true)
        {
            try
            {
                // The file stays: deleting it would let two processes lock two files of one name.
                return new CacheLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException e) when (e.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
            {
                if (!reported)
                    progress?.Report(new DownloadProgress(DownloadStage.Waiting, name));
                reported = true;
                await Task.Delay(Retry, cancellation);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
