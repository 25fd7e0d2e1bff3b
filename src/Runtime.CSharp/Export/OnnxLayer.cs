using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using Onnx;

namespace CnnSpec.Runtime.Export;

/// <summary>A layer on its way into an ONNX graph: the values it reads, their shapes, its weights.</summary>
/// <param name="Shapes">Of the inputs, without the batch.</param>
/// <param name="Stored">A weight by its whole name.</param>
internal sealed record OnnxLayer(
    OnnxGraph Graph,
    IrNode Node,
    string[] Inputs,
    long[][] Shapes,
    Func<string, StoredTensor> Stored
)
{
    /// <summary>The only or the first input.</summary>
    public string X => Inputs[0];

    /// <summary>Of that input: <c>[C,H,W]</c> or <c>[F]</c>.</summary>
    public long[] Shape => Shapes[0];

    public long Channels => Shape[0];

    /// <summary>Of the output, without the batch.</summary>
    public long[] Output => [.. Node.Shape];

    public string Add(string type, IEnumerable<string> inputs, params AttributeProto[] attributes) =>
        Graph.Add(type, Node.Path, inputs, attributes);

    /// <summary>A node of the input alone.</summary>
    public string Unary(string type, params AttributeProto[] attributes) => Add(type, [X], attributes);

    public string Times(string value, double factor) => Add("Mul", [value, Number(factor)]);

    public string Plus(string value, double addend) => Add("Add", [value, Number(addend)]);

    public string Number(double value) => Graph.Number($"{Node.Path}.constant", value);

    /// <summary>A batch of this shape.</summary>
    public string Reshaped(string value, params long[] shape) => Add("Reshape", [value, Graph.Indices([0, .. shape])]);

    public bool Has(string weight) => Node.Weights.Any(own => own.Name == NameOf(weight));

    /// <summary>A weight by its name in the layer.</summary>
    public string Weight(string name, long[]? shape = null) => Graph.Weight(NameOf(name), Stored(NameOf(name)), shape);

    /// <summary>A weight, or where the layer has none so many equal numbers, as the operator of ONNX wants them.</summary>
    public string WeightOr(string name, float missing, long[] shape) =>
        Has(name)
            ? Weight(name)
            : Graph.Constant(
                NameOf(name),
                Enumerable.Repeat(missing, (int)shape.Aggregate(1L, (a, b) => a * b)).ToArray(),
                shape
            );

    /// <summary>Filters, and biases where there are some.</summary>
    public string[] WithWeights() => Has("bias") ? [X, Weight("weight"), Weight("bias")] : [X, Weight("weight")];

    /// <summary>One number a channel, as it is broadcast over the rest of the input.</summary>
    public long[] PerChannel(long channels) => [channels, .. Enumerable.Repeat(1L, Shape.Length - 1)];

    private string NameOf(string weight) => Node.Path == "" ? weight : $"{Node.Path}.{weight}";
}
