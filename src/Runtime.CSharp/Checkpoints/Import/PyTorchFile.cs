using System.Buffers.Binary;
using System.IO.Compression;

namespace CnnSpec.Runtime.Checkpoints.Import;

/// <summary>
/// What <c>torch.save</c> writes: a zip archive with a pickle and one member for each storage, or, before PyTorch 1.6, a
/// row of pickles and then the storages. The pickle is read as data; nothing in it is run.
/// </summary>
internal static class PyTorchFile
{
    /// <summary>The low eight bytes of the number that begins the older form.</summary>
    private const long OlderMagic = unchecked((long)0xa86a20f9469cfc6c);

    /// <summary>Names under which training scripts keep the state dict in a larger dictionary.</summary>
    private static readonly string[] Holders = ["state_dict", "model_state_dict", "model", "net", "weights"];

    private sealed record Storage(string Type, int ElementSize, string Key);

    private delegate ReadOnlySpan<byte> StorageBytes(Storage storage);

    public static bool IsOlder(ReadOnlySpan<byte> file) =>
        file.Length > 14 && file[0] == 0x80 && file[2] == 0x8a && file[3] == 10;

    /// <exception cref="FormatException">The file is damaged, or holds something else than weights.</exception>
    public static Dictionary<string, StoredTensor> Read(ZipArchive archive)
    {
        var pickle =
            archive.Entries.FirstOrDefault(entry => entry.FullName.EndsWith("/data.pkl"))
            ?? throw new FormatException("it is a zip archive without weights");
        string folder = pickle.FullName[..^"data.pkl".Length];
        if (archive.Entries.Any(entry => entry.FullName.StartsWith(folder + "code/")))
            throw new FormatException(
                "it is a TorchScript program; save the weights alone: torch.save(model.state_dict(), path)"
            );
        object? value = new Pickle(ZipMember.Read(pickle)).Read();
        var members = new Dictionary<string, byte[]>();
        return Weights(
            value,
            storage =>
            {
                if (!members.TryGetValue(storage.Key, out byte[]? bytes))
                    members[storage.Key] = bytes = ZipMember.Read(
                        archive.GetEntry($"{folder}data/{storage.Key}")
                            ?? throw new FormatException($"its storage {storage.Key} is missing")
                    );
                return bytes;
            }
        );
    }

    /// <exception cref="FormatException">The file is damaged, or holds something else than weights.</exception>
    public static Dictionary<string, StoredTensor> ReadOlder(byte[] file)
    {
        int at = 0;
        object? Next()
        {
            var pickle = new Pickle(file.AsSpan(at));
            object? value = pickle.Read();
            at += pickle.Position;
            return value;
        }
        if (Next() is not OlderMagic)
            throw new FormatException("it does not begin as PyTorch's files do");
        Next(); // the version of the format
        Next(); // byte order and sizes of the machine
        object? value = Next();
        if (Next() is not List<object?> keys)
            throw new FormatException("its list of storages is missing");

        // The storages follow in the order of the keys, each after its count of elements; how large an element is only
        // the pickle says.
        var sizes = StoragesOf(value).DistinctBy(s => s.Key).ToDictionary(s => s.Key, s => s.ElementSize);
        var places = new Dictionary<string, (int Start, int Length)>();
        foreach (string key in keys.OfType<string>())
        {
            if (file.Length - at < 8 || !sizes.TryGetValue(key, out int size))
                throw new FormatException("it ends too soon");
            long bytes = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at)) * size;
            if (bytes < 0 || bytes > file.Length - at - 8)
                throw new FormatException("it ends too soon");
            places[key] = (at + 8, (int)bytes);
            at += 8 + (int)bytes;
        }
        return Weights(
            value,
            storage =>
                places.TryGetValue(storage.Key, out var place)
                    ? file.AsSpan(place.Start, place.Length)
                    : throw new FormatException($"its storage {storage.Key} is missing")
        );
    }

    /// <summary>The tensors of a state dict, or of the one inside a checkpoint.</summary>
    private static Dictionary<string, StoredTensor> Weights(object? value, StorageBytes bytesOf)
    {
        if (value is not Dictionary<object, object?> entries)
            throw value is PickledCall call
                ? new FormatException(
                    $"it holds a whole '{call.Function.Module}.{call.Function.Name}', not weights; save them alone: torch.save(model.state_dict(), path)"
                )
                : new FormatException("it holds no dictionary of weights");
        foreach (string holder in Holders)
            if (entries.TryGetValue(holder, out object? held) && held is Dictionary<object, object?> inner)
                return Weights(inner, bytesOf);

        var weights = new Dictionary<string, StoredTensor>();
        foreach (var (key, entry) in entries)
            if (entry is PickledCall tensor)
                weights[key.ToString()!] = Tensor($"{key}", tensor, bytesOf);
        return weights.Count > 0 ? weights : throw new FormatException("it holds no weights");
    }

    private static IEnumerable<Storage> StoragesOf(object? value) =>
        value switch
        {
            PickledReference reference => [StorageOf(reference)],
            PickledCall call => call.Arguments.SelectMany(StoragesOf),
            Dictionary<object, object?> map => map.Values.SelectMany(StoragesOf),
            object?[] items => items.SelectMany(StoragesOf),
            List<object?> items => items.SelectMany(StoragesOf),
            _ => [],
        };

    private static StoredTensor Tensor(string name, PickledCall call, StorageBytes bytesOf)
    {
        if (
            call is
            { Function: { Module: "torch._utils", Name: "_rebuild_parameter" }, Arguments: [PickledCall data, ..] }
        )
            return Tensor(name, data, bytesOf);
        if (
            call.Function is not { Module: "torch._utils", Name: "_rebuild_tensor_v2" or "_rebuild_tensor" }
            || call.Arguments is not [PickledReference reference, long offset, object?[] sizes, object?[] steps, ..]
        )
            throw new FormatException(
                $"'{name}' would call '{call.Function.Module}.{call.Function.Name}', which is not run; weights need no such call"
            );
        var storage = StorageOf(reference);
        return Gather(name, storage, bytesOf(storage), offset, Integers(sizes), Integers(steps));
    }

    /// <summary><c>('storage', torch.FloatStorage, '0', 'cpu', 3456)</c></summary>
    private static Storage StorageOf(PickledReference reference)
    {
        if (reference.Id is not object?[] id || id is not ["storage", PickledName type, string key, _, long, ..])
            throw new FormatException("one of its storages is malformed");
        var (word, size) = type.Name switch
        {
            "FloatStorage" => ("F32", 4),
            "DoubleStorage" => ("F64", 8),
            "HalfStorage" => ("F16", 2),
            "BFloat16Storage" => ("BF16", 2),
            "LongStorage" => ("I64", 8),
            "IntStorage" => ("I32", 4),
            _ => throw new FormatException($"it has values of '{type.Module}.{type.Name}', which are not read"),
        };
        return new Storage(word, size, key);
    }

    /// <summary>A view of a storage in row-major order.</summary>
    private static StoredTensor Gather(
        string name,
        Storage storage,
        ReadOnlySpan<byte> bytes,
        long offset,
        long[] sizes,
        long[] steps
    )
    {
        int width = storage.ElementSize;
        long available = bytes.Length / width;
        long count = 1;
        long last = offset;
        for (int d = 0; d < sizes.Length; d++)
        {
            if (sizes.Length != steps.Length || sizes[d] < 0 || steps[d] < 0 || sizes[d] > available)
                throw Outside(name);
            count *= sizes[d];
            last += (sizes[d] - 1) * steps[d];
            if (count > available || last < 0)
                throw Outside(name);
        }
        if (offset < 0 || (count > 0 && last >= available))
            throw Outside(name);

        var gathered = new byte[count * width];
        var index = new long[sizes.Length];
        for (long i = 0; i < count; i++)
        {
            long from = offset;
            for (int d = 0; d < index.Length; d++)
                from += index[d] * steps[d];
            bytes.Slice((int)(from * width), width).CopyTo(gathered.AsSpan((int)(i * width)));
            for (int d = index.Length - 1; d >= 0 && ++index[d] == sizes[d]; d--)
                index[d] = 0;
        }
        return new StoredTensor(storage.Type, sizes, gathered);
    }

    private static FormatException Outside(string name) => new($"'{name}' lies outside of its storage");

    private static long[] Integers(object?[] items) =>
        [
            .. items.Select(item =>
                item is long value ? value : throw new FormatException("a tensor's shape is malformed")
            ),
        ];
}
