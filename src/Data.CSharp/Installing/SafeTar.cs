using System.Formats.Tar;
using System.IO.Compression;

namespace CnnSpec.Data;

/// <summary>What an archive may hold at most; more is refused before it is written.</summary>
public sealed record TarLimits(long EntryBytes, long TotalBytes, int Entries);

/// <summary>
/// Unpacks a tar.gz that nobody vouches for. Only plain files inside the folder are written: an absolute path, a
/// <c>..</c>,
/// a link, a device or a file that is there already stops it with nothing trusted.
/// </summary>
public static class SafeTar
{
    /// <summary>
    /// Unpacks the files that <paramref name="wanted"/> picks by their path in the archive, as <c>folder/path</c>.
    /// </summary>
    /// <exception cref="InputError">The archive is damaged, or holds what a data archive has no business to
    /// hold.</exception>
    public static void Extract(
        string archive,
        string folder,
        TarLimits limits,
        Func<string, bool> wanted,
        CancellationToken cancellation = default
    )
    {
        string name = Path.GetFileName(archive);
        try
        {
            using var file = File.OpenRead(archive);
            using var unzipped = new GZipStream(file, CompressionMode.Decompress);
            using var reader = new TarReader(unzipped);
            long total = 0;
            int entries = 0;
            while (reader.GetNextEntry() is { } entry)
            {
                cancellation.ThrowIfCancellationRequested();
                if (++entries > limits.Entries)
                    throw Refused(name, $"it holds more than {limits.Entries} entries");
                if (entry.EntryType is TarEntryType.Directory or TarEntryType.GlobalExtendedAttributes)
                    continue;
                string target = TargetOf(name, folder, entry);
                total += entry.Length;
                if (entry.Length > limits.EntryBytes || total > limits.TotalBytes)
                    throw Refused(name, $"{entry.Name} makes it larger than the {limits.TotalBytes:N0} bytes expected");
                if (wanted(entry.Name))
                    Write(name, entry, target, cancellation);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new InputError($"{name}: the archive is damaged", "fetch it again", e);
        }
    }

    private static void Write(string archive, TarEntry entry, string target, CancellationToken cancellation)
    {
        if (File.Exists(target))
            throw Refused(archive, $"{entry.Name} is in it twice");
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        using var output = new FileStream(target, FileMode.CreateNew, FileAccess.Write);
        if (entry.DataStream is not { } data)
            return;
        var buffer = new byte[1 << 16];
        for (int read; (read = data.Read(buffer)) > 0; )
        {
            cancellation.ThrowIfCancellationRequested();
            output.Write(buffer, 0, read);
        }
    }

    private static string TargetOf(string archive, string folder, TarEntry entry)
    {
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw Refused(archive, $"{entry.Name} is a link or a device");
        string path = entry.Name;
        bool inside =
            path.Length > 0
            && !Path.IsPathRooted(path)
            && path.IndexOfAny(['\\', ':', '\0']) < 0
            && !path.Split('/').Contains("..");
        string root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        string target = inside ? Path.GetFullPath(Path.Combine(root, path)) : "";
        if (!target.StartsWith(root, StringComparison.Ordinal))
            throw Refused(archive, $"{entry.Name} would be written outside of its folder");
        return target;
    }

    private static InputError Refused(string archive, string why) =>
        new($"{archive}: refused: {why}", "do not use this file; fetch it from its publisher");
}
