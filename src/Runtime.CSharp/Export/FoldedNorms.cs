using System.Runtime.InteropServices;
using CnnSpec.Ir;
using CnnSpec.Operators;
using CnnSpec.Runtime.Checkpoints;

namespace CnnSpec.Runtime.Export;

/// <summary>
/// Batch norms that are folded into the convolution before them: with γ, β and running μ, σ², filters become
/// w · γ/√(σ² + ε) and biases (b − μ) · γ/√(σ² + ε) + β.
/// </summary>
internal sealed class FoldedNorms
{
    private readonly Func<string, StoredTensor> _weight;

    /// <summary>The batch norm that a convolution takes with it, by the convolution's place.</summary>
    private readonly Dictionary<int, IrNode> _normOf = [];
    private readonly HashSet<int> _folded = [];
    private readonly Dictionary<string, StoredTensor> _changed = [];

    private FoldedNorms(Func<string, StoredTensor> weight) => _weight = weight;

    public static FoldedNorms None(Func<string, StoredTensor> weight) => new(weight);

    public static FoldedNorms Of(Program program, Func<string, StoredTensor> weight)
    {
        var all = new FoldedNorms(weight);
        IrNode[] nodes = [.. program.Nodes];
        var readers = nodes
            .Where(node => !node.TrainingOnly)
            .SelectMany(node => node.Inputs)
            .Append(program.Output)
            .CountBy(place => place)
            .ToDictionary();
        for (int i = 0; i < nodes.Length; i++)
            if (nodes[i] is { TrainingOnly: false, Op: Op.BatchNorm norm })
            {
                int from = nodes[i].Inputs.Head;
                if (nodes[from].Op is Op.Conv conv && readers[from] == 1)
                    all.Fold(from, nodes[from], i, nodes[i], norm.Item.Epsilon);
            }
        return all;
    }

    public bool IsFolded(int place) => _folded.Contains(place);

    public StoredTensor Weight(string name) => _changed.TryGetValue(name, out var changed) ? changed : _weight(name);

    /// <summary>The convolution has a bias now, whether or not it had one.</summary>
    public IrNode WithBias(IrNode node, int place) =>
        !_normOf.ContainsKey(place) || node.Weights.Length > 1
            ? node
            : new IrNode(
                node.Path,
                node.Operator,
                node.Op,
                node.Inputs,
                node.Shape,
                Microsoft.FSharp.Collections.ListModule.OfSeq([
                    node.Weights.Head,
                    new Weight(
                        BiasOf(node),
                        Microsoft.FSharp.Collections.ListModule.OfSeq([node.Weights.Head.Shape.Head]),
                        trainable: true,
                        Initialiser.NewConstant(0)
                    ),
                ]),
                node.TrainingOnly,
                node.Line
            );

    private void Fold(int place, IrNode conv, int normPlace, IrNode norm, double epsilon)
    {
        _normOf[place] = norm;
        _folded.Add(normPlace);
        float[] Of(string name) => Floats(_weight($"{norm.Path}.{name}"));
        bool isAffine = norm.Weights.Any(weight => weight.Name == $"{norm.Path}.weight");
        float[] mean = Of("running_mean");
        float[] variance = Of("running_var");
        float[]? scale = isAffine ? Of("weight") : null;
        float[]? shift = isAffine ? Of("bias") : null;
        string filters = conv.Weights.Head.Name;
        var stored = _weight(filters);
        float[] values = Floats(stored);
        float[]? biases = conv.Weights.Length > 1 ? Floats(_weight(BiasOf(conv))) : null;
        float[] folded = new float[mean.Length];
        int size = values.Length / mean.Length;
        for (int c = 0; c < mean.Length; c++)
        {
            double factor = (scale?[c] ?? 1) / Math.Sqrt(variance[c] + epsilon);
            foreach (ref float value in values.AsSpan(c * size, size))
                value = (float)(value * factor);
            folded[c] = (float)(((biases?[c] ?? 0) - mean[c]) * factor + (shift?[c] ?? 0));
        }
        _changed[filters] = stored with { Bytes = MemoryMarshal.AsBytes(values.AsSpan()).ToArray() };
        _changed[BiasOf(conv)] = new StoredTensor(
            "F32",
            [folded.Length],
            MemoryMarshal.AsBytes(folded.AsSpan()).ToArray()
        );
    }

    private static string BiasOf(IrNode conv) => conv.Path == "" ? "bias" : $"{conv.Path}.bias";

    private static float[] Floats(StoredTensor stored) => MemoryMarshal.Cast<byte, float>(stored.Bytes.Span).ToArray();
}
