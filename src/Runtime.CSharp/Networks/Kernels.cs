using CnnSpec.Ir;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.Runtime.Networks;

/// <summary>An operation that gives its result and its input, from which whoever reads the input later reads it.</summary>
internal delegate (Tensor Result, Tensor Input) ForkingOperation(
    Tensor input,
    IReadOnlyList<Tensor> weights,
    bool training
);

/// <summary>Batch normalisation, then ReLU where <paramref name="Relu"/>, with its weights and running statistics, <c>[C]</c>.</summary>
internal readonly record struct BatchNorm(
    BatchNormalisation Norm,
    Tensor? Scale,
    Tensor? Shift,
    Tensor Mean,
    Tensor Variance,
    bool Training,
    bool Relu
);

/// <summary>What each stage of a schedule does to tensors, and in which precision it may.</summary>
internal static class Kernels
{
    /// <param name="fused">Use the engine's own kernels where it has them.</param>
    public static Operation For(Ir.Stage stage, bool fused) =>
        stage.Kernel switch
        {
            _ when stage.Part is not null => ResultOf(Forking(stage)!),
            Kernel.Normalise k => Normalise(k.Item1, k.sum, k.relu),
            Kernel.Single { Item: Op.BatchNorm norm } when fused => Normalise(norm.Item, sum: false, relu: false),
            Kernel.Single { Item: Op.MaxPool pool } when fused && EngineSetup.MaxPool(pool.Item, false) is { } own =>
                own,
            Kernel.Single { Item: Op.Conv conv } when fused => Convolution(conv.Item),
            Kernel.MaxPoolRelu k => EngineSetup.MaxPool(k.Item, relu: true) ?? PoolThenRelu(k.Item),
            Kernel.Convolve k => Convolution(k.Item1, k.sum, k.relu),
            Kernel.Heads k => Heads([.. k.Item]),
            Kernel.Join k => (x, _, _) => EngineSetup.Join([.. x], k.within?.Value, k.before, k.after),
            Kernel.Single k => Operations.For(k.Item),
            _ => throw new NotSupportedException($"the runtime has no kernel {stage.Kernel}"),
        };

    /// <summary>Whether the stage's inputs, weights and output may be bfloat16. Normalisation keeps its weights in float32.</summary>
    public static (bool Values, bool Weights) ShortFloats(Kernel kernel, IReadOnlyList<Tensor> weights)
    {
        return kernel switch
        {
            Kernel.Single { Item: Op.Conv conv } => Convolution(conv.Item),
            Kernel.Convolve k => Convolution(k.Item1),
            Kernel.Heads k => Convolution(k.Item.Head),
            Kernel.Single { Item: var op } => op.IsLinear ? (true, true) : (IsCheap(op), false),
            _ => (true, false),
        };

        // oneDNN has no fast bfloat16 convolution of a single channel; an engine that mixes precisions has one of its own.
        (bool, bool) Convolution(Convolution conv)
        {
            bool fast = EngineSetup.MixesPrecisions || weights[0].shape[1] * conv.Groups > 1;
            return (fast, fast);
        }
    }

    /// <summary>Whether the stage takes float32 weights beside bfloat16 inputs, so that none need be cast.</summary>
    public static bool MixesPrecisions(Kernel kernel, bool fused) =>
        fused
        && EngineSetup.MixesPrecisions
        && kernel is Kernel.Single { Item: Op.Conv } or Kernel.Convolve or Kernel.Heads;

    /// <summary>Whether the stage takes its one input in the type it comes in: a cast of what it gives costs no more than one of
    /// what it is given.</summary>
    public static bool KeepsType(Kernel kernel) =>
        kernel is Kernel.MaxPoolRelu
        || kernel is Kernel.Single { Item: var op }
            && (IsShrinking(op) || op.IsFlatten || op.IsReshape || op.IsIdentity);

    private static bool IsShrinking(Op op) => op.IsMaxPool || op.IsAvgPool || op is Op.AdaptiveAvgPool;

    private static bool IsCheap(Op op) =>
        op.IsBatchNorm
        || IsShrinking(op)
        || op is Op.Activate { Item.IsRelu: true }
        || op.IsDropout
        || op.IsDropout2d
        || op.IsFlatten
        || op.IsReshape
        || op.IsPermute
        || op.IsSlice
        || op.IsChannelShuffle
        || op.IsIdentity
        || op.IsConcat
        || op.IsAdd
        || op.IsMultiply;

    private static Operation Convolution(Convolution conv) =>
        EngineSetup.Convolve(conv) ?? Operations.For(Op.NewConv(conv));

    /// <summary>Weights: <c>[K,C/groups,h,w]</c> and <c>[K]</c> or none, as <see cref="FoldedWeights"/> makes them.</summary>
    private static Operation Convolution(Convolution conv, bool sum, bool relu)
    {
        var convolve = Convolution(conv);
        return (x, w, training) =>
        {
            var result = convolve(x, w, training);
            if (sum || relu)
                EngineSetup.AddRelu(result, sum ? x[1] : null, relu);
            return result;
        };
    }

    private static Operation PoolThenRelu(MaxPooling pool)
    {
        var maxima = Operations.For(Op.NewMaxPool(pool));
        return (x, w, training) =>
        {
            using var pooled = maxima(x, w, training);
            return pooled.relu();
        };
    }

    private static Operation Normalise(BatchNormalisation norm, bool sum, bool relu) =>
        (x, w, training) => EngineSetup.Normalise(x[0], sum ? x[1] : null, Ready(norm, w, training, relu));

    /// <summary>A stage that hands its input on; null where the engine cannot, and later readers read that by themselves.</summary>
    public static ForkingOperation? Forking(Ir.Stage stage) =>
        stage.Kernel switch
        {
            Kernel.Normalise k => Forking(k.Item1, k.relu, stage),
            Kernel.Single { Item: Op.BatchNorm norm } => Forking(norm.Item, relu: false, stage),
            Kernel.MaxPoolRelu k => EngineSetup.MaxPoolFork(k.Item, relu: true),
            Kernel.Single { Item: Op.MaxPool pool } => EngineSetup.MaxPoolFork(pool.Item, relu: false),
            Kernel.Single { Item: Op.Conv conv } => EngineSetup.ConvolveFork(conv.Item),
            _ => throw new NotSupportedException($"the runtime has no forking kernel {stage.Kernel}"),
        };

    private static ForkingOperation Forking(BatchNormalisation norm, bool relu, Ir.Stage stage) =>
        (x, w, training) =>
        {
            var part = stage.Part?.Value.ToValueTuple() ?? (0, x.shape[1]);
            return EngineSetup.NormalisePart(x, part, stage.Forks, Ready(norm, w, training, relu));
        };

    private static Operation ResultOf(ForkingOperation forking) =>
        (x, w, training) =>
        {
            var (result, input) = forking(x[0], w, training);
            input.Dispose();
            return result;
        };

    /// <summary>Weights: filters and, where they have them, biases, convolution by convolution.</summary>
    private static Operation Heads(Convolution[] heads)
    {
        var convolve = Convolution(heads[0]);
        int each = heads[0].Bias ? 2 : 1;
        return (x, w, training) =>
        {
            using var scope = NewDisposeScope();
            Tensor[] together =
            [
                .. Enumerable.Range(0, each).Select(part => cat([.. w.Where((_, i) => i % each == part)], 0)),
            ];
            return convolve(x, together, training).MoveToOuterDisposeScope();
        };
    }

    /// <summary>Weights: scale and shift where it has them, running mean and variance, and the number of batches they have seen, which
    /// training counts here.</summary>
    private static BatchNorm Ready(BatchNormalisation norm, IReadOnlyList<Tensor> w, bool training, bool relu)
    {
        int statistics = norm.Affine ? 2 : 0;
        if (training)
            using (no_grad())
                w[statistics + 2].add_(1);
        var (scale, shift) = norm.Affine ? (w[0], w[1]) : ((Tensor?)null, (Tensor?)null);
        return new(norm, scale, shift, w[statistics], w[statistics + 1], training, relu);
    }
}
