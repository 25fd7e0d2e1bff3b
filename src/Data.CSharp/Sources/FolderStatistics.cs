using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CnnSpec.Data;

/// <summary>
/// Statistics of folders that are too large for memory, remembered between runs: measuring one decodes all of its
/// images.
/// They are measured again when a file's path, length or time has changed.
/// </summary>
internal sealed class FolderStatistics(DataCache cache)
{
    public ChannelStatistics Of(ImageFolder images, IProgress<ReadProgress>? progress, CancellationToken cancellation)
    {
        string path = Path.Combine(cache.Root, "folders", Key(images) + ".json");
        if (Remembered(path, images.Shape.Channels) is { } known)
            return known;
        RefuseBadHeaders(images, cancellation);
        var measured = ChannelStatistics.Of(images, progress, cancellation);
        Remember(path, measured);
        return measured;
    }

    /// <summary>Minutes before decoding would come to the last of them.</summary>
    private static void RefuseBadHeaders(ImageFolder images, CancellationToken cancellation)
    {
        var reader = new CarefulReader(images);
        ParallelRead.Ranges(
            images.Count,
            (first, end) =>
            {
                for (int i = first; i < end; i++)
                    reader.ReadHeader(i);
            },
            null,
            cancellation
        );
        reader.ThrowIfAny();
    }

    private static string Key(ImageFolder images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(images.Shape.ToString()));
        for (int i = 0; i < images.Count; i++)
        {
            var file = new FileInfo(images.PathOf(i));
            long length = file.Exists ? file.Length : 0;
            hash.AppendData(Encoding.UTF8.GetBytes($"\n{file.FullName}|{length}|{file.LastWriteTimeUtc.Ticks}"));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static ChannelStatistics? Remembered(string path, int channels)
    {
        try
        {
            var known = JsonSerializer.Deserialize<ChannelStatistics>(File.ReadAllBytes(path));
            return known?.Mean?.Length == channels && known.Deviation?.Length == channels ? known : null;
        }
        catch (Exception e) when (e is JsonException || DiskFailure.Explains(e))
        {
            return null;
        }
    }

    private static void Remember(string path, ChannelStatistics statistics)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            string partial = $"{path}.{Guid.NewGuid():N}";
            File.WriteAllBytes(partial, JsonSerializer.SerializeToUtf8Bytes(statistics));
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            // Training can go on; the next run measures again.
        }
    }
}
