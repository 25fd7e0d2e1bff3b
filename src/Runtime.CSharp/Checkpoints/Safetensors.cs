using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using CnnSpec.Data;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>A tensor as a file holds it: bytes in row-major order, little-endian.</summary>
/// <param name="Type">safetensors' word: <c>F32</c>, <c>I64</c>, …</param>
public sealed record StoredTensor(string Type, long[] Shape, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// The safetensors format: eight bytes of header length, a JSON header, the tensors' bytes. Reading executes nothing and
/// trusts nothing: every length and offset is checked against the file. https://huggingface.co/docs/safetensors
/// What is written here carries a checksum among its notes, which reading verifies; files of other programs have none.
/// </summary>
public static class Safetensors
{
    private const string Checksum = "sha256";

    /// <summary>Bytes of a header, some hundred thousand tensors. The format allows ten times as many, which would take a
    /// gigabyte to read.</summary>
    private const long LargestHeader = 10_000_000;

    private static readonly Dictionary<string, int> ElementSizes = new()
    {
        ["F64"] = 8,
        ["F32"] = 4,
        ["F16"] = 2,
        ["BF16"] = 2,
        ["I64"] = 8,
        ["I32"] = 4,
        ["I16"] = 2,
        ["I8"] = 1,
        ["U8"] = 1,
        ["BOOL"] = 1,
    };

    /// <summary>Writes all tensors to a temporary name beside <paramref name="path"/> and renames it, so that the file is
    /// there whole or not at all.</summary>
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written.</exception>
    public static void Write(
        string path,
        IReadOnlyCollection<KeyValuePair<string, StoredTensor>> tensors,
        IReadOnlyDictionary<string, string> metadata
    ) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                var header = new JsonObject
                {
                    ["__metadata__"] = new JsonObject(
                        metadata
                            .Append(KeyValuePair.Create(Checksum, ChecksumOf(tensors, metadata)))
                            .Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value))
                    ),
                };
                long offset = 0;
                foreach (var (name, tensor) in tensors)
                {
                    header[name] = new JsonObject
                    {
                        ["dtype"] = tensor.Type,
                        ["shape"] = new JsonArray([.. tensor.Shape.Select(size => (JsonNode)size)]),
                        ["data_offsets"] = new JsonArray(offset, offset + tensor.Bytes.Length),
                    };
                    offset += tensor.Bytes.Length;
                }
                byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
                // Tensors begin at a multiple of eight; spaces are JSON's white space.
                int padding = (8 - json.Length % 8) % 8;
                Span<byte> length = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(length, json.Length + padding);
                stream.Write(length);
                stream.Write(json);
                stream.Write("        "u8[..padding]);
                foreach (var (_, tensor) in tensors)
                    stream.Write(tensor.Bytes.Span);
            }
        );

    /// <summary>Reads all tensors and the file's own notes.</summary>
    /// <exception cref="InputError">The file is missing, truncated, changed or not of this format.</exception>
    public static (Dictionary<string, StoredTensor> Tensors, Dictionary<string, string> Metadata) Read(string path) =>
        Read(path, AtomicFile.Read(path));

    /// <summary>The same of a file that cnnspec wrote, which carries a checksum: where that is gone the file is damaged.</summary>
    /// <inheritdoc cref="Read(string)"/>
    internal static (Dictionary<string, StoredTensor> Tensors, Dictionary<string, string> Metadata) ReadOwn(
        string path
    ) => Read(path, AtomicFile.Read(path), isOwn: true);

    /// <param name="path">What messages call the file.</param>
    /// <param name="file">All of it.</param>
    /// <param name="isOwn">It must carry a checksum, as all that cnnspec writes does.</param>
    /// <exception cref="InputError">It is damaged.</exception>
    internal static (Dictionary<string, StoredTensor> Tensors, Dictionary<string, string> Metadata) Read(
        string path,
        byte[] file,
        bool isOwn = false
    )
    {
        if (file.Length < 8)
            throw Damaged(path, "it is shorter than its header");
        long headerLength = BinaryPrimitives.ReadInt64LittleEndian(file);
        if (headerLength < 2 || headerLength > LargestHeader || headerLength > file.Length - 8)
            throw Damaged(path, $"its header claims {headerLength} bytes of {file.Length}");

        KeyValuePair<string, JsonNode?>[] header;
        try
        {
            header = [.. RequiredJson.ParseObject(file.AsSpan(8, (int)headerLength))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw Damaged(path, "its header is not JSON, or has a name twice", e);
        }

        var tensors = new Dictionary<string, StoredTensor>();
        var metadata = new Dictionary<string, string>();
        foreach (var (name, entry) in header)
        {
            try
            {
                if (name == "__metadata__")
                    foreach (var (key, value) in entry.Object())
                        metadata[key] = value.Value<string>();
                else
                    tensors[name] = ReadTensor(path, name, entry.Object(), file.AsMemory(8 + (int)headerLength));
            }
            catch (Exception e)
                when (e is JsonException or InvalidOperationException or FormatException or OverflowException)
            {
                throw Damaged(path, $"its entry '{name}' is malformed", e);
            }
        }
        RequireOneAfterTheOther(path, header);
        bool isSigned = metadata.Remove(Checksum, out string? checksum);
        if (isOwn && !isSigned || isSigned && checksum != ChecksumOf(tensors, metadata))
            throw Damaged(path, "its contents are not what was written");
        return (tensors, metadata);
    }

    /// <summary>The format's tensors follow each other without gaps, so none lies in another.</summary>
    private static void RequireOneAfterTheOther(string path, KeyValuePair<string, JsonNode?>[] header)
    {
        long at = 0;
        string before = "the header";
        var places = header
            .Where(entry => entry.Key != "__metadata__")
            .Select(entry => (Name: entry.Key, Offsets: entry.Value.Object().Required("data_offsets").Array()))
            .Select(entry => (entry.Name, Begin: entry.Offsets[0].Value<long>(), End: entry.Offsets[1].Value<long>()))
            .OrderBy(entry => (entry.Begin, entry.End));
        foreach (var (name, begin, end) in places)
        {
            if (begin != at)
                throw Damaged(
                    path,
                    begin < at
                        ? $"'{name}' and '{before}' overlap"
                        : $"between '{before}' and '{name}' are bytes that belong to no tensor"
                );
            (before, at) = (name, end);
        }
    }

    /// <summary>SHA-256 over everything that a reader gets, whatever the order of the entries.</summary>
    private static string ChecksumOf(
        IEnumerable<KeyValuePair<string, StoredTensor>> tensors,
        IEnumerable<KeyValuePair<string, string>> metadata
    )
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new[] { key, value }));
        foreach (var (name, tensor) in tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            string shape = string.Join(',', tensor.Shape);
            hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new[] { name, tensor.Type, shape }));
            hash.AppendData(tensor.Bytes.Span);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static StoredTensor ReadTensor(string path, string name, JsonObject entry, ReadOnlyMemory<byte> data)
    {
        string type = entry.Required("dtype").Value<string>();
        long[] shape = [.. entry.Required("shape").Array().Select(size => size.Value<long>())];
        if (entry.Required("data_offsets").Array() is not [var first, var last])
            throw Damaged(path, $"'{name}' has no two offsets");
        long begin = first.Value<long>();
        long end = last.Value<long>();
        if (!ElementSizes.TryGetValue(type, out int size))
            throw new InputError($"{path}: '{name}' is of type {type}, which is not read", "save it as F32");
        if (shape.Any(s => s < 0))
            throw Damaged(path, $"'{name}' has a negative size");
        long bytes = shape.Aggregate((long)size, (product, s) => checked(product * s));
        if (begin < 0 || end < begin || end > data.Length)
            throw Damaged(path, $"'{name}' lies outside of the file");
        if (end - begin != bytes)
            throw Damaged(path, $"'{name}' has {end - begin} bytes where its shape needs {bytes}");
        return new StoredTensor(type, shape, data[(int)begin..(int)end]);
    }

    private static InputError Damaged(string path, string how, Exception? inner = null) =>
        new(
            $"{path} is damaged or not a safetensors file: {how}",
            "use another checkpoint, or write this one again",
            inner
        );
}
