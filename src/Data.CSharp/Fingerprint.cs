using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CnnSpec.Data;

/// <summary>A short text that is the same where the images are the same (SHA-256, lower-case hexadecimal).</summary>
internal static class Fingerprint
{
    /// <summary>Of a prepared data set: of the checksums of its files.</summary>
    public static string Of(Manifest manifest) =>
        Hash(hash =>
        {
            foreach (var file in manifest.Files.OrderBy(file => file.Name, StringComparer.Ordinal))
                Add(hash, $"{file.Name}|{file.Bytes}|{file.Sha256}\n");
        });

    /// <summary>Of images in memory: of their pixels and labels. Of a folder too large for that: of the names and lengths of
    /// its files, since reading it takes minutes.</summary>
    public static string Of(params IImageSource[] sources) =>
        Hash(hash =>
        {
            foreach (var source in sources)
            {
                Add(hash, $"{source.Count} of {source.Shape}: {string.Join('|', source.ClassNames)}\n");
                if (source is ImageFolder folder)
                    AddFiles(hash, folder);
                else
                    AddPixels(hash, source);
            }
        });

    private static void AddFiles(IncrementalHash hash, ImageFolder folder)
    {
        for (int i = 0; i < folder.Count; i++)
        {
            var file = new FileInfo(folder.PathOf(i));
            Add(hash, $"{folder.Label(i)}|{file.Name}|{(file.Exists ? file.Length : 0)}\n");
        }
    }

    private static void AddPixels(IncrementalHash hash, IImageSource source)
    {
        var record = new byte[sizeof(int) + source.Shape.Size];
        for (int i = 0; i < source.Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(record, source.Label(i));
            source.Read(i, record.AsSpan(sizeof(int)));
            hash.AppendData(record);
        }
    }

    private static string Hash(Action<IncrementalHash> fill)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        fill(hash);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
}
