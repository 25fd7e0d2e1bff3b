using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using CnnSpec.Runtime.Checkpoints;

namespace CnnSpec.Runtime.Export;

/// <summary>
/// What <c>torch.save</c> writes of a state dict since PyTorch 1.6: a zip archive with a pickle of the names and shapes, and
/// a file for each tensor. The pickle calls what unpickling with <c>weights_only</c> allows, and nothing else.
/// </summary>
internal static class PyTorchArchive
{
    private const string Root = "archive";

    public static void Write(Stream stream, IEnumerable<(string Name, StoredTensor Tensor)> weights)
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        var pickle = new StateDictPickle();
        int count = 0;
        foreach (var (name, tensor) in weights)
        {
            Add(archive, $"data/{count}", tensor.Bytes.Span);
            pickle.Add(name, tensor, $"{count}");
            count++;
        }
        Add(archive, "data.pkl", pickle.End());
        Add(archive, "byteorder", "little"u8);
        Add(archive, "version", "3\n"u8);
    }

    private static void Add(ZipArchive archive, string name, ReadOnlySpan<byte> content)
    {
        using var entry = archive.CreateEntry($"{Root}/{name}", CompressionLevel.NoCompression).Open();
        entry.Write(content);
    }

    /// <summary>
    /// An <c>OrderedDict</c> of tensors in Python's pickle format, protocol 2.
    /// https://github.com/python/cpython/blob/main/Lib/pickletools.py
    /// </summary>
    private sealed class StateDictPickle
    {
        private readonly MemoryStream _code = new();

        public StateDictPickle()
        {
            Op(0x80, 2); // PROTO 2
            Dictionary();
            Op('('); // MARK, up to SETITEMS
        }

        public void Add(string name, StoredTensor tensor, string key)
        {
            Text(name);
            Global("torch._utils", "_rebuild_tensor_v2");
            Op('('); // MARK: its arguments
            Op('('); // MARK: the storage's name
            Text("storage");
            Global("torch", StorageOf(tensor.Type));
            Text(key);
            Text("cpu");
            Number(tensor.Shape.Aggregate(1L, (product, size) => product * size));
            Op('t', 'Q'); // TUPLE, BINPERSID
            Number(0);
            Tuple(tensor.Shape);
            Tuple(Strides(tensor.Shape));
            Op(0x89); // NEWFALSE: no gradient
            Dictionary();
            Op('t', 'R'); // TUPLE, REDUCE
        }

        public ReadOnlySpan<byte> End()
        {
            Op('u', '.'); // SETITEMS, STOP
            return _code.ToArray();
        }

        private void Dictionary()
        {
            Global("collections", "OrderedDict");
            Op(')', 'R'); // EMPTY_TUPLE, REDUCE
        }

        private void Tuple(long[] values)
        {
            Op('(');
            foreach (long value in values)
                Number(value);
            Op('t');
        }

        private void Global(string module, string name) => _code.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));

        private void Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            Op('X'); // BINUNICODE
            _code.Write(length);
            _code.Write(bytes);
        }

        private void Number(long value)
        {
            Span<byte> bytes = stackalloc byte[8];
            if (value is >= 0 and <= int.MaxValue)
            {
                BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)value);
                Op('J'); // BININT
                _code.Write(bytes[..4]);
            }
            else
            {
                BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
                Op(0x8a, 8); // LONG1 of eight bytes
                _code.Write(bytes);
            }
        }

        private void Op(params ReadOnlySpan<int> codes)
        {
            foreach (int code in codes)
                _code.WriteByte((byte)code);
        }

        private static long[] Strides(long[] shape)
        {
            var strides = new long[shape.Length];
            long stride = 1;
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                strides[axis] = stride;
                stride *= shape[axis];
            }
            return strides;
        }

        private static string StorageOf(string type) =>
            type switch
            {
                "F32" => "FloatStorage",
                "F64" => "DoubleStorage",
                "F16" => "HalfStorage",
                "BF16" => "BFloat16Storage",
                "I64" => "LongStorage",
                "I32" => "IntStorage",
                _ => throw new NotSupportedException($"weights of type {type} are not written"),
            };
    }
}
