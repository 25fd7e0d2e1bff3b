using System.Buffers.Binary;
using System.IO.Compression;

namespace CnnSpec.Data;

/// <summary>What an IDX image file holds: <c>[Count, Height, Width]</c> uint8 pixels.</summary>
public sealed record IdxImages(int Count, int Height, int Width, byte[] Pixels);

/// <summary>
/// The IDX format of MNIST and its relatives: a big-endian header (0, 0, type 8 = uint8, rank, then the sizes) and the
/// values.
/// A file may be gzipped. Every header field and the length are checked before memory is allocated for it.
/// </summary>
public static class IdxFile
{
    private const long MaxBytes = 1L << 31;
    private const int ImageRank = 3;
    private const int LabelRank = 1;

    /// <exception cref="InputError">The file is not a well-formed IDX image file.</exception>
    public static IdxImages ReadImages(string path)
    {
        var (sizes, pixels) = Read(path, ImageRank);
        return new IdxImages(sizes[0], sizes[1], sizes[2], pixels);
    }

    /// <exception cref="InputError">The file is not a well-formed IDX label file.</exception>
    public static byte[] ReadLabels(string path) => Read(path, LabelRank).Values;

    /// <summary>Writes images uncompressed.</summary>
    public static void WriteImages(Stream stream, int count, int height, int width, ReadOnlySpan<byte> pixels) =>
        Write(stream, [count, height, width], pixels);

    /// <summary>Writes labels uncompressed.</summary>
    public static void WriteLabels(Stream stream, ReadOnlySpan<byte> labels) => Write(stream, [labels.Length], labels);

    private static void Write(Stream stream, ReadOnlySpan<int> sizes, ReadOnlySpan<byte> values)
    {
        Span<byte> header = stackalloc byte[4 + 4 * sizes.Length];
        BinaryPrimitives.WriteInt32BigEndian(header, 0x0800 | sizes.Length);
        for (int i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(header[(4 + 4 * i)..], sizes[i]);
        stream.Write(header);
        stream.Write(values);
    }

    private static (int[] Sizes, byte[] Values) Read(string path, int rank)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            if (!IsGzip(file))
                return Read(path, file, file.Length, rank);
            using var unzipped = new GZipStream(file, CompressionMode.Decompress);
            return Read(path, unzipped, null, rank);
        }
        catch (InvalidDataException e)
        {
            throw new InputError($"{path}: the gzip data is damaged", Refetch, e);
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(path, e);
        }
    }

    private static (int[] Sizes, byte[] Values) Read(string path, Stream stream, long? fileLength, int rank)
    {
        var header = new byte[4 + 4 * rank];
        int got = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (got < header.Length)
            throw Truncated(path, header.Length, got);
        int magic = BinaryPrimitives.ReadInt32BigEndian(header);
        int wanted = 0x0800 | rank;
        if (magic != wanted)
            throw new InputError(
                $"{path}: the file starts with 0x{magic:x8}, an IDX {(rank == LabelRank ? "label" : "image")} file starts with 0x{wanted:x8}",
                "check that this is the right file; " + Refetch
            );
        var sizes = new int[rank];
        Int128 bytes = 1;
        for (int i = 0; i < rank; i++)
        {
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 + 4 * i));
            bytes *= sizes[i];
        }
        if (sizes.Any(s => s <= 0) || bytes > MaxBytes - 64)
            throw new InputError(
                $"{path}: the header claims {string.Join(" × ", sizes.Select(s => (uint)s))} values, which no file here can hold",
                Refetch
            );
        long expected = header.Length + (long)bytes;
        if (fileLength is { } length && length != expected)
            throw length < expected ? Truncated(path, expected, length) : TooLong(path, expected, length);
        var values = GC.AllocateUninitializedArray<byte>((int)bytes);
        got = stream.ReadAtLeast(values, values.Length, throwOnEndOfStream: false);
        if (got < values.Length)
            throw Truncated(path, expected, header.Length + got);
        if (stream.ReadByte() >= 0)
            throw TooLong(path, expected, null);
        return (sizes, values);
    }

    private const string Refetch = "fetch it again";

    private static bool IsGzip(FileStream file)
    {
        bool gzip = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return gzip;
    }

    private static InputError Truncated(string path, long expected, long actual) =>
        new($"{path}: truncated: {expected} bytes expected, {actual} found", Refetch);

    private static InputError TooLong(string path, long expected, long? actual) =>
        new($"{path}: {expected} bytes expected, {actual?.ToString() ?? "more"} found", Refetch);
}
