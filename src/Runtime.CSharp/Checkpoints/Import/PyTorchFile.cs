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

    /// <summary>State dicts in dictionaries in dictionaries: more are a loop.</summary>
    private const int DeepestHolder = 8;

    private sealed record Storage(string Type, int ElementSize, string Key);

    private delegate ReadOnlyMemory<byte> StorageBytes(Storage storage);

    public static bool IsOlder(ReadOnlySpan<byte> file) =>
        file.Length > 14 && file[0] == 0x80 && file[2] == 0x8a && file[3] == 10;

    /// <param name="members">Reads what is in the archive.</param>
    /// <exception cref="FormatException">The file is damaged, or holds something else than weights.</exception>
    public static Dictionary<string, StoredTensor> Read(ZipArchive archive, ZipMembers members)
    {
        var pickle =
            archive.Entries.FirstOrDefault(entry => entry.FullName.EndsWith("/data.pkl"))
            ?? throw new FormatException("it is a zip archive without weights");
        string folder = pickle.FullName[..^"data.pkl".Length];
        if (archive.Entries.Any(entry => entry.FullName.StartsWith(folder + "code/")))
            throw new FormatException(
                "it is a TorchScript program; save the weights alone: torch.save(model.state_dict(), path)"
            );
        object? value = new Pickle(members.Read(pickle)).Read();
        var storages = new Dictionary<string, byte[]>();
        return Weights(
            value,
            members.Room,
            storage =>
            {
                if (!storages.TryGetValue(storage.Key, out byte[]? bytes))
                    storages[storage.Key] = bytes = members.Read(
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
            long elements = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));
            if (elements < 0 || elements > (file.Length - at - 8) / size)
                throw new FormatException("it ends too soon");
            int bytes = (int)elements * size;
            places[key] = (at + 8, bytes);
            at += 8 + bytes;
        }
        return Weights(
            value,
            new MemoryBudget(file.Length),
            storage =>
                places.TryGetValue(storage.Key, out var place)
                    ? file.AsMemory(place.Start, place.Length)
                    : throw new FormatException($"its storage {storage.Key} is missing")
        );
    }

    /// <summary>The tensors of a state dict, or of the one inside a checkpoint.</summary>
    private static Dictionary<string, StoredTensor> Weights(object? value, MemoryBudget room, StorageBytes bytesOf)
    {
        var entries = Entries(value);
        for (int depth = 0; Inner(entries) is { } inner; depth++)
        {
            if (depth > DeepestHolder)
                throw new FormatException("its dictionaries of weights contain each other");
            entries = inner;
        }
        var weights = new Dictionary<string, StoredTensor>();
        foreach (var (key, entry) in entries)
            if (entry is PickledCall tensor)
                weights[key] = Tensor(key, tensor, room, bytesOf);
        return weights.Count > 0 ? weights : throw new FormatException("it holds no weights");
    }

    private static Dictionary<string, object?> Entries(object? value) =>
        value switch
        {
            Dictionary<string, object?> entries => entries,
            PickledCall call => throw new FormatException(
                $"it holds a whole '{call.Function.Module}.{call.Function.Name}', not weights; save them alone: torch.save(model.state_dict(), path)"
            ),
            _ => throw new FormatException("it holds no dictionary of weights"),
        };

    private static Dictionary<string, object?>? Inner(Dictionary<string, object?> entries) =>
        Holders
            .Select(holder => entries.GetValueOrDefault(holder))
            .OfType<Dictionary<string, object?>>()
            .FirstOrDefault();

    /// <summary>Every storage that a value refers to. Each part is looked at once, however often it occurs: lists can contain
    /// each other, and themselves.</summary>
    private static IEnumerable<Storage> StoragesOf(object? value)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var waiting = new Stack<object?>([value]);
        while (waiting.TryPop(out object? next))
        {
            if (next is null || !seen.Add(next))
                continue;
            if (next is PickledReference reference)
                yield return StorageOf(reference);
            IEnumerable<object?> parts = next switch
            {
                PickledCall call => call.Arguments,
                Dictionary<string, object?> map => map.Values,
                object?[] items => items,
                List<object?> items => items,
                _ => [],
            };
            foreach (object? part in parts)
                waiting.Push(part);
        }
    }

    private static StoredTensor Tensor(string name, PickledCall call, MemoryBudget room, StorageBytes bytesOf)
    {
        // A parameter is a call around that of its tensor.
        if (
            call is
            { Function: { Module: "torch._utils", Name: "_rebuild_parameter" }, Arguments: [PickledCall data, ..] }
        )
            call = data;
        if (
            call.Function is not { Module: "torch._utils", Name: "_rebuild_tensor_v2" or "_rebuild_tensor" }
            || call.Arguments is not [PickledReference reference, long offset, object?[] sizes, object?[] steps, ..]
        )
            throw new FormatException(
                $"'{name}' would call '{call.Function.Module}.{call.Function.Name}', which is not run; weights need no such call"
            );
        var storage = StorageOf(reference);
        return Gather(name, storage, bytesOf(storage), offset, Integers(sizes), Integers(steps), room);
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

    /// <summary>A view of a storage in row-major order: the storage's own bytes where they stand so already.</summary>
    private static StoredTensor Gather(
        string name,
        Storage storage,
        ReadOnlyMemory<byte> bytes,
        long offset,
        long[] sizes,
        long[] steps,
        MemoryBudget room
    )
    {
        int width = storage.ElementSize;
        long count = CountWithin(name, bytes.Length / width, offset, sizes, steps);
        if (count == 0)
            return new StoredTensor(storage.Type, sizes, default);
        if (IsRowMajor(sizes, steps))
            return new StoredTensor(storage.Type, sizes, bytes.Slice((int)offset * width, (int)count * width));
        var gathered = new byte[room.Take(count * width)];
        var index = new long[sizes.Length];
        for (long i = 0; i < count; i++)
        {
            long from = offset;
            for (int d = 0; d < index.Length; d++)
                from += index[d] * steps[d];
            bytes.Span.Slice((int)(from * width), width).CopyTo(gathered.AsSpan((int)(i * width)));
            for (int d = index.Length - 1; d >= 0 && ++index[d] == sizes[d]; d--)
                index[d] = 0;
        }
        return new StoredTensor(storage.Type, sizes, gathered);
    }

    /// <summary>How many elements a view has, all of which lie within its storage of <paramref name="available"/>.</summary>
    private static long CountWithin(string name, long available, long offset, long[] sizes, long[] steps)
    {
        if (offset < 0 || offset > available || sizes.Length != steps.Length || sizes.Any(size => size < 0))
            throw Outside(name);
        if (sizes.Contains(0))
            return 0;
        long count = 1;
        long last = offset;
        for (int d = 0; d < sizes.Length; d++)
        {
            // No factor is above the storage's length, and so no product overflows.
            if (steps[d] < 0 || sizes[d] > available || sizes[d] > 1 && steps[d] > available)
                throw Outside(name);
            count *= sizes[d];
            last += (sizes[d] - 1) * (sizes[d] > 1 ? steps[d] : 0);
            if (count > available || last >= available)
                throw Outside(name);
        }
        return last < available ? count : throw Outside(name);
    }

    private static bool IsRowMajor(long[] sizes, long[] steps)
    {
        long expected = 1;
        for (int d = sizes.Length - 1; d >= 0; d--)
        {
            if (sizes[d] > 1 && steps[d] != expected)
                return false;
            expected *= sizes[d];
        }
        return true;
    }

    private static FormatException Outside(string name) => new($"'{name}' lies outside of its storage");

    private static long[] Integers(object?[] items) =>
        [
            .. items.Select(item =>
                item is long value ? value : throw new FormatException("a tensor's shape is malformed")
            ),
        ];
}
