using System.Buffers.Binary;
using System.Text;

namespace CnnSpec.Runtime.Checkpoints.Import;

/// <summary>A name that a pickle refers to, such as <c>torch._utils._rebuild_tensor_v2</c>. It is never looked up.</summary>
internal sealed record PickledName(string Module, string Name);

/// <summary>What the file keeps beside the pickle: for PyTorch the bytes of a storage.</summary>
internal sealed record PickledReference(object? Id);

/// <summary>A call that a pickle asks for. It is never made: the reader of the file judges it.</summary>
internal sealed record PickledCall(PickledName Function, object?[] Arguments);

/// <summary>
/// Python's pickle format as data: numbers, text, lists, tuples (<c>object[]</c>), dictionaries, and records of the names
/// and calls in it. A pickle is a program for a small machine, and in Python running it can do anything; here names stay
/// names and calls stay undone. Protocols 2 to 4, which is what PyTorch writes. https://docs.python.org/3/library/pickletools.html
/// </summary>
internal ref struct Pickle(ReadOnlySpan<byte> data)
{
    /// <summary>A state dict of a thousand layers has some fifty thousand; a million take 100 MB.</summary>
    private const int MostValues = 1_000_000;

    /// <summary>Python numbers what it remembers one after the other, from 0 or 1.</summary>
    private const int MostSkipped = 1;

    private static readonly object Mark = new();

    /// <summary>In a place that was never filled.</summary>
    private static readonly object Nothing = new();

    private readonly ReadOnlySpan<byte> _data = data;
    private readonly List<object?> _stack = [];
    private readonly List<object?> _memo = [];
    private int _steps = 0;

    /// <summary>How many bytes of the data were read.</summary>
    public int Position { get; private set; } = 0;

    /// <exception cref="FormatException">The data is no pickle, or uses what no file of weights needs.</exception>
    public object? Read()
    {
        while (true)
        {
            if (_steps++ > MostValues)
                throw new FormatException($"its pickle has more than {MostValues:N0} values");
            byte code = Take(1)[0];
            switch ((char)code)
            {
                case '\x80': // PROTO
                    Take(1);
                    break;
                case '\x95': // FRAME
                    Take(8);
                    break;
                case '.':
                    return Pop();
                case '(':
                    _stack.Add(Mark);
                    break;
                case '0':
                    Pop();
                    break;
                case 'N':
                    _stack.Add(null);
                    break;
                case '\x88':
                    _stack.Add(true);
                    break;
                case '\x89':
                    _stack.Add(false);
                    break;
                case 'K':
                    _stack.Add((long)Take(1)[0]);
                    break;
                case 'M':
                    _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                    break;
                case 'J':
                    _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                    break;
                case '\x8a': // LONG1
                    _stack.Add(Long(Take(Take(1)[0])));
                    break;
                case 'G':
                    _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                    break;
                case 'X':
                    _stack.Add(Encoding.UTF8.GetString(Take(Length(4))));
                    break;
                case '\x8c': // SHORT_BINUNICODE
                    _stack.Add(Encoding.UTF8.GetString(Take(Take(1)[0])));
                    break;
                case 'U': // SHORT_BINSTRING
                    _stack.Add(Encoding.Latin1.GetString(Take(Take(1)[0])));
                    break;
                case ']':
                    _stack.Add(new List<object?>());
                    break;
                case '}':
                    _stack.Add(new Dictionary<string, object?>());
                    break;
                case ')':
                    _stack.Add(Array.Empty<object?>());
                    break;
                case 't':
                    _stack.Add(ToMark());
                    break;
                case '\x85':
                    _stack.Add(Last(1));
                    break;
                case '\x86':
                    _stack.Add(Last(2));
                    break;
                case '\x87':
                    _stack.Add(Last(3));
                    break;
                case 'a':
                    Append([Pop()]);
                    break;
                case 'e':
                    Append(ToMark());
                    break;
                case 's':
                    Set(Last(2));
                    break;
                case 'u':
                    Set(ToMark());
                    break;
                case 'q':
                    Remember(Take(1)[0]);
                    break;
                case 'r':
                    Remember(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                    break;
                case '\x94': // MEMOIZE
                    Remember(_memo.Count);
                    break;
                case 'h':
                    _stack.Add(Recall(Take(1)[0]));
                    break;
                case 'j':
                    _stack.Add(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                    break;
                case 'c':
                    _stack.Add(new PickledName(Line(), Line()));
                    break;
                case '\x93': // STACK_GLOBAL
                    _stack.Add(Last(2) is [string module, string name] ? new PickledName(module, name) : throw Broken());
                    break;
                case 'Q':
                    _stack.Add(new PickledReference(Pop()));
                    break;
                case 'R':
                case '\x81': // NEWOBJ
                    _stack.Add(Call(Last(2)));
                    break;
                case 'b': // BUILD: the state of an object, such as the metadata of a state dict
                    Pop();
                    break;
                default:
                    throw new FormatException($"it has the pickle code {code}, which no file of weights needs");
            }
        }
    }

    /// <summary>An ordered dictionary is a dictionary; every other call is left to the reader.</summary>
    private static object Call(object?[] callAndArguments) =>
        callAndArguments switch
        {
            [PickledName { Module: "collections", Name: "OrderedDict" }, object?[] { Length: 0 }] => new Dictionary<
                string,
                object?
            >(),
            [PickledName function, object?[] arguments] => new PickledCall(function, arguments),
            _ => throw Broken(),
        };

    private readonly void Append(object?[] items)
    {
        if (Peek() is not List<object?> list)
            throw Broken();
        list.AddRange(items);
    }

    private readonly void Set(object?[] entries)
    {
        // Of other objects only what PyTorch adds to a state dict is set, and it is not needed.
        var target = Peek() as Dictionary<string, object?>;
        for (int i = 0; i + 1 < entries.Length; i += 2)
            if (entries[i] is string or long)
                target?[$"{entries[i]}"] = entries[i + 1];
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _data.Length - Position)
            throw new FormatException("it ends too soon");
        var taken = _data.Slice(Position, count);
        Position += count;
        return taken;
    }

    private int Length(int bytes) => BinaryPrimitives.ReadInt32LittleEndian(Take(bytes));

    private string Line()
    {
        int end = _data[Position..].IndexOf((byte)'\n');
        if (end < 0)
            throw new FormatException("it ends too soon");
        string line = Encoding.UTF8.GetString(Take(end));
        Take(1);
        return line;
    }

    /// <summary>Little-endian two's complement; PyTorch's magic number has ten bytes and is read as its low eight.</summary>
    private static long Long(ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        for (int i = 0; i < Math.Min(8, bytes.Length); i++)
            value |= (long)bytes[i] << (8 * i);
        bool negative = bytes.Length is > 0 and < 8 && (bytes[^1] & 0x80) != 0;
        return negative ? value - (1L << (8 * bytes.Length)) : value;
    }

    private readonly object? Peek() => _stack.Count > 0 ? _stack[^1] : throw Broken();

    private readonly object? Pop()
    {
        object? top = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private readonly object?[] Last(int count)
    {
        if (_stack.Count < count)
            throw Broken();
        object?[] items = [.. _stack.TakeLast(count)];
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private readonly object?[] ToMark()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
            throw Broken();
        object?[] items = Last(_stack.Count - mark - 1);
        Pop();
        return items;
    }

    private readonly void Remember(long key)
    {
        if (key > _memo.Count + MostSkipped)
            throw Broken();
        while (key >= _memo.Count)
            _memo.Add(Nothing);
        _memo[(int)key] = Peek();
    }

    private readonly object? Recall(long key) =>
        key < _memo.Count && _memo[(int)key] != Nothing ? _memo[(int)key] : throw Broken();

    private static FormatException Broken() => new("its pickle is malformed");
}
