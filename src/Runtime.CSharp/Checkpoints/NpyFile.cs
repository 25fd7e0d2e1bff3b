using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using CnnSpec.Data;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>NumPy's array file, version 1 to 3. Reading executes nothing: pickled objects are refused.
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html</summary>
public static partial class NpyFile
{
    /// <summary>Reads an array of numbers, converting it to float32; row-major order.</summary>
    /// <exception cref="InputError">The file is missing, damaged or holds something else.</exception>
    public static (long[] Shape, float[] Values) Read(string path)
    {
        var (type, shape, data) = Parse(path, AtomicFile.Read(path));
        return (shape, Convert(path, type, data, Count(path, shape)));
    }

    /// <summary>An array as it is stored.</summary>
    /// <param name="name">What messages call the file.</param>
    /// <exception cref="InputError">The file is damaged or holds something else than numbers.</exception>
    internal static StoredTensor ReadTensor(string name, byte[] file)
    {
        var (type, shape, data) = Parse(name, file);
        var (_, word, size) = TypeNames.FirstOrDefault(known => known.NumPy == type);
        if (word is null)
            throw Unread(name, type);
        long bytes = Count(name, shape) * size;
        return data.Length == bytes
            ? new StoredTensor(word, shape, data)
            : throw Damaged(name, $"it has {data.Length} bytes of values where its shape needs {bytes}");
    }

    private static (string Type, long[] Shape, Memory<byte> Data) Parse(string path, byte[] file)
    {
        if (file.Length < 10 || !file.AsSpan(0, 6).SequenceEqual(Magic))
            throw Damaged(path, "it does not begin as a .npy file does");
        bool longHeader = file[6] >= 2;
        if (longHeader && file.Length < 12)
            throw Damaged(path, "it ends within its header");
        int headerLength = longHeader ? BitConverter.ToInt32(file, 8) : BitConverter.ToUInt16(file, 8);
        int start = longHeader ? 12 : 10;
        if (headerLength < 0 || headerLength > file.Length - start)
            throw Damaged(path, "it ends within its header");
        string header = Encoding.Latin1.GetString(file, start, headerLength);
        var match = HeaderPattern().Match(header);
        if (!match.Success)
            throw Damaged(path, "its header is malformed");
        if (match.Groups["fortran"].Value == "True")
            throw new InputError(
                $"{path} is stored column by column",
                "save it row by row: np.save(file, np.ascontiguousarray(array))"
            );

        long[] shape =
        [
            .. match
                .Groups["shape"]
                .Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(size =>
                    long.TryParse(size, out long value) ? value : throw Damaged(path, "its shape is malformed")
                ),
        ];
        return (match.Groups["type"].Value, shape, file.AsMemory(start + headerLength));
    }

    private static long Count(string path, long[] shape)
    {
        try
        {
            // Far below where a count of bytes would overflow.
            long count = shape.Aggregate(1L, (product, size) => checked(product * size));
            return count <= Array.MaxLength ? count : throw Damaged(path, "its shape is absurd");
        }
        catch (OverflowException e)
        {
            throw Damaged(path, "its shape is absurd", e);
        }
    }

    /// <summary>Writes float32 values.</summary>
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<long> shape, ReadOnlySpan<float> values)
    {
        var tensor = new StoredTensor("F32", shape.ToArray(), MemoryMarshal.AsBytes(values).ToArray());
        AtomicFile.Write(path, stream => Write(stream, tensor));
    }

    /// <summary>Writes a tensor as it is stored.</summary>
    internal static void Write(Stream stream, StoredTensor tensor)
    {
        string type = TypeNames.First(known => known.Stored == tensor.Type).NumPy;
        var sizes = new StringBuilder();
        foreach (long size in tensor.Shape)
            sizes.Append(CultureInfo.InvariantCulture, $"{size}, ");
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({sizes.ToString().TrimEnd()}), }}";
        // The data begins at a multiple of 64, and the header ends with a line break.
        int padded = (10 + header.Length + 1 + 63) / 64 * 64 - 10;
        header = header.PadRight(padded - 1) + "\n";
        stream.Write(Magic);
        stream.Write([1, 0, (byte)(header.Length & 0xFF), (byte)(header.Length >> 8)]);
        stream.Write(Encoding.Latin1.GetBytes(header));
        stream.Write(tensor.Bytes.Span);
    }

    private static readonly (string NumPy, string Stored, int Size)[] TypeNames =
    [
        ("<f4", "F32", 4),
        ("<f8", "F64", 8),
        ("<f2", "F16", 2),
        ("<i8", "I64", 8),
        ("<i4", "I32", 4),
    ];

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private static float[] Convert(string path, string type, ReadOnlyMemory<byte> memory, long count)
    {
        var data = memory.Span;
        return type switch
        {
            "<f4" => Cast<float>(path, data, count).ToArray(),
            "<f8" => Each<double>(path, data, count, value => (float)value),
            "<f2" => Each<Half>(path, data, count, value => (float)value),
            "|u1" => Each<byte>(path, data, count, value => value),
            "|i1" => Each<sbyte>(path, data, count, value => value),
            "<i4" => Each<int>(path, data, count, value => value),
            "<i8" => Each<long>(path, data, count, value => value),
            _ => throw Unread(path, type),
        };
    }

    private static InputError Unread(string path, string type) =>
        new(
            $"{path} holds values of type {type}, which are not read",
            "save it as float32: np.save(file, array.astype('float32'))"
        );

    private static float[] Each<T>(string path, ReadOnlySpan<byte> data, long count, Func<T, float> convert)
        where T : unmanaged => Array.ConvertAll(Cast<T>(path, data, count).ToArray(), value => convert(value));

    private static unsafe ReadOnlySpan<T> Cast<T>(string path, ReadOnlySpan<byte> data, long count)
        where T : unmanaged =>
        count <= data.Length / sizeof(T) && data.Length == count * sizeof(T)
            ? MemoryMarshal.Cast<byte, T>(data)
            : throw Damaged(
                path,
                $"it has {data.Length} bytes of values where its shape needs {count} of {sizeof(T)} bytes"
            );

    private static InputError Damaged(string path, string how, Exception? inner = null) =>
        new($"{path} is damaged or not a .npy file: {how}", "write it again with np.save", inner);

    [GeneratedRegex(
        """'descr':\s*'(?<type>[^']+)'.*'fortran_order':\s*(?<fortran>True|False).*'shape':\s*\((?<shape>[0-9,\s]*)\)""",
        // A header of megabytes without an end takes no longer than its length.
        RegexOptions.Singleline | RegexOptions.NonBacktracking
    )]
    private static partial Regex HeaderPattern();
}
