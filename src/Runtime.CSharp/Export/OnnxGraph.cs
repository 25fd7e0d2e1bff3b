using System.Runtime.InteropServices;
using CnnSpec.Runtime.Checkpoints;
using Google.Protobuf;
using Onnx;

namespace CnnSpec.Runtime.Export;

/// <summary>An ONNX graph that grows by one node at a time. Values have unique names, weights keep theirs.</summary>
internal sealed class OnnxGraph(string name)
{
    private readonly HashSet<string> _names = [];
    private readonly Dictionary<string, string> _indices = [];

    public GraphProto Proto { get; } = new() { Name = name };

    /// <summary>Adds a node with one output.</summary>
    /// <param name="path">The layer that it belongs to, which its output is named after.</param>
    /// <returns>The name of the output.</returns>
    public string Add(string type, string path, IEnumerable<string> inputs, params AttributeProto[] attributes)
    {
        string output = Unique(path == "" ? type : path);
        var node = new NodeProto
        {
            OpType = type,
            Name = output,
            Input = { inputs },
            Output = { output },
        };
        node.Attribute.AddRange(attributes);
        Proto.Node.Add(node);
        return output;
    }

    /// <summary>Numbers that are part of the graph.</summary>
    public string Constant(string name, ReadOnlySpan<float> values, params long[] shape)
    {
        string unique = Unique(name);
        AddTensor(unique, TensorProto.Types.DataType.Float, shape, MemoryMarshal.AsBytes(values));
        return unique;
    }

    /// <inheritdoc cref="Constant"/>
    public string Number(string name, double value) => Constant(name, [(float)value]);

    /// <summary>Axes, sizes and places, one tensor for all that are equal.</summary>
    public string Indices(params long[] values)
    {
        string key = string.Join("_", values);
        if (_indices.TryGetValue(key, out string? known))
            return known;
        string unique = Unique($"indices_{key.Replace('-', 'm')}");
        AddTensor(unique, TensorProto.Types.DataType.Int64, [values.Length], MemoryMarshal.AsBytes(values.AsSpan()));
        return _indices[key] = unique;
    }

    /// <summary>A weight under its own name.</summary>
    /// <param name="shape">Another shape of as many numbers, as a broadcast needs it; null for its own.</param>
    public string Weight(string name, StoredTensor tensor, long[]? shape = null)
    {
        if (tensor.Type != "F32")
            throw new NotSupportedException($"{name} is of type {tensor.Type}");
        string unique = Unique(name);
        AddTensor(unique, TensorProto.Types.DataType.Float, shape ?? tensor.Shape, tensor.Bytes.Span);
        return unique;
    }

    /// <summary>Gives a value that a node computes another name, or one like it where a layer has that.</summary>
    public string Rename(string from, string wanted)
    {
        string to = Unique(wanted);
        foreach (var node in Proto.Node)
        {
            Replace(node.Input, from, to);
            Replace(node.Output, from, to);
        }
        return to;
    }

    /// <summary>
    /// Leaves a padding by zeros before a pool alone. ONNX Runtime (1.31) joins the two: a max pool then takes the zeros for
    /// nothing, and a pool that pads by its kernel or more is refused. A padding by the least normal number is not joined.
    /// </summary>
    public void KeepPaddingApart(string value)
    {
        if (Proto.Node.LastOrDefault(node => node.Output[0] == value) is { OpType: "Pad", Input.Count: 2 } padding)
            padding.Input.Add(Number($"{value}.value", 1.2e-38));
    }

    /// <summary>A name that no value, node or weight has.</summary>
    public string Unique(string wanted)
    {
        string name = wanted;
        for (int i = 1; !_names.Add(name); i++)
            name = $"{wanted}_{i}";
        return name;
    }

    private void AddTensor(string name, TensorProto.Types.DataType type, long[] shape, ReadOnlySpan<byte> values) =>
        Proto.Initializer.Add(
            new TensorProto
            {
                Name = name,
                DataType = (int)type,
                Dims = { shape },
                RawData = ByteString.CopyFrom(values),
            }
        );

    private static void Replace(IList<string> names, string from, string to)
    {
        for (int i = 0; i < names.Count; i++)
            if (names[i] == from)
                names[i] = to;
    }
}

/// <summary>The attributes of a node.</summary>
internal static class OnnxAttribute
{
    public static AttributeProto Of(string name, long value) =>
        new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.Int,
            I = value,
        };

    public static AttributeProto Of(string name, bool value) => Of(name, value ? 1L : 0L);

    public static AttributeProto Of(string name, double value) =>
        new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.Float,
            F = (float)value,
        };

    public static AttributeProto Of(string name, string value) =>
        new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.String,
            S = ByteString.CopyFromUtf8(value),
        };

    public static AttributeProto Of(string name, params long[] values) =>
        new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.Ints,
            Ints = { values },
        };
}
