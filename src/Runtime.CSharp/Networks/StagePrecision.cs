using CnnSpec.Ir;
using CnnSpec.Operators;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>Which stages of a network of bfloat16 may work on bfloat16.</summary>
internal static class StagePrecision
{
    /// <summary>What a stage's inputs and weights are cast to; null where they stay as they come.</summary>
    public static (ScalarType? Inputs, ScalarType? Weights) In(
        Precision precision,
        Ir.Stage stage,
        LayerWeights[] layers,
        bool mixes
    )
    {
        if (precision == Precision.Float32)
            return (null, null);
        var (values, weights) = SupportsBFloat16(stage.Kernel, layers, mixes);
        ScalarType? inputs =
            KeepsType(stage.Kernel) ? null
            : values ? ScalarType.BFloat16
            : ScalarType.Float32;
        bool casts = weights && !(mixes && IsConvolution(stage.Kernel));
        return (inputs, casts ? ScalarType.BFloat16 : null);
    }

    /// <summary>Whether the stage's inputs, weights and output may be bfloat16. Normalisation keeps its weights in float32.</summary>
    private static (bool Values, bool Weights) SupportsBFloat16(Kernel kernel, LayerWeights[] layers, bool mixes)
    {
        return kernel switch
        {
            Kernel.Single { Item: Op.Conv conv } => Convolution(conv.Item),
            Kernel.Convolve k => Convolution(k.Item1),
            Kernel.MergedConv k => Convolution(k.Item.Head),
            Kernel.Single { Item: var op } => op.IsLinear ? (true, true) : (IsCheap(op), false),
            _ => (true, false),
        };

        // oneDNN has no fast bfloat16 convolution of a single channel; the native loops have.
        (bool, bool) Convolution(Convolution conv)
        {
            bool fast = mixes || layers[0].Weight.size(1) * conv.Groups > 1;
            return (fast, fast);
        }
    }

    private static bool IsConvolution(Kernel kernel) =>
        kernel is Kernel.Single { Item: Op.Conv } or Kernel.Convolve or Kernel.MergedConv;

    /// <summary>Whether the stage takes its one input in the type it comes in: a cast of what it gives costs no more than one of
    /// what it is given.</summary>
    private static bool KeepsType(Kernel kernel) =>
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
}
