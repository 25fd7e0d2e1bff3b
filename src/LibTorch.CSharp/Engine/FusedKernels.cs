using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>
/// Operators of our own: several of libtorch's in fewer passes over memory, forward and backward. They work on channels-last
/// maps of float32 and bfloat16 on the CPU; for anything else they are composed of libtorch's.
/// </summary>
public static class FusedKernels
{
    private static readonly Operator NormaliseOperator = new("cnnspec::normalise");
    private static readonly Operator NormalisePartOperator = new("cnnspec::normalise_part");
    private static readonly Operator ConcatOperator = new("cnnspec::concat");
    private static readonly Operator MaxPoolOperator = new("cnnspec::max_pool");
    private static readonly Operator MaxPoolForkOperator = new("cnnspec::max_pool_fork");
    private static readonly Operator ConvolveOperator = new("cnnspec::convolve");
    private static readonly Operator ConvolveForkOperator = new("cnnspec::convolve_fork");
    private static readonly Operator AddReluOperator = new("cnnspec::add_relu_");
    private static readonly Operator MagnitudeOperator = new("cnnspec::magnitude");
    private static readonly Operator VersionsOperator = new("cnnspec::versions");

    /// <summary>
    /// <c>act(batch_norm(x) + addend)</c>: <c>[N,C,H,W] → [N,C,H,W]</c>. The activation is ReLU where
    /// <paramref name="relu"/>, else none. Weight, bias and the running statistics are float32 <c>[C]</c>, whatever
    /// <paramref name="x"/> is; training updates the statistics in place.
    /// </summary>
    public static Tensor Normalise(
        Tensor x,
        Tensor? addend,
        Tensor? weight,
        Tensor? bias,
        Tensor runningMean,
        Tensor runningVariance,
        bool training,
        double momentum,
        double epsilon,
        bool relu
    ) =>
        NormaliseOperator.Call(
            x,
            addend,
            weight,
            bias,
            runningMean,
            runningVariance,
            training,
            momentum,
            epsilon,
            relu
        );

    /// <summary>
    /// <see cref="Normalise"/> of <paramref name="channels"/> of the channels of <paramref name="x"/>, from
    /// <paramref name="first"/> on, without an addend. Where it <paramref name="forks"/>, whoever reads <paramref name="x"/> later
    /// must read it from the second result alone: their gradient is added while that of the normalisation is written or, where
    /// the part is not all of it, taken as one of other channels, beside which that of the part is written.
    /// </summary>
    public static (Tensor Result, Tensor Input) NormalisePart(
        Tensor x,
        long first,
        long channels,
        bool forks,
        Tensor? weight,
        Tensor? bias,
        Tensor runningMean,
        Tensor runningVariance,
        bool training,
        double momentum,
        double epsilon,
        bool relu
    ) =>
        NormalisePartOperator.Call2(
            x,
            first,
            channels,
            forks,
            weight,
            bias,
            runningMean,
            runningVariance,
            training,
            momentum,
            epsilon,
            relu
        );

    /// <summary>
    /// <c>[N,Cᵢ,H,W] → [N,ΣCᵢ,H,W]</c> or <c>[N,Cᵢ] → [N,ΣCᵢ]</c>. The piece number <paramref name="within"/>, a result of this with
    /// room around it, lends that room to the others, once; where none does, the result gets so many channels of room
    /// <paramref name="before"/> and <paramref name="after"/> its own.
    /// </summary>
    public static Tensor Concat(Tensor[] pieces, int? within, long before, long after) =>
        ConcatOperator.Call(pieces, within ?? -1, before, after);

    /// <summary>The maximum of each window, then ReLU where <paramref name="relu"/>: <c>[N,C,H,W] → [N,C,H',W']</c>.</summary>
    public static Tensor MaxPool(
        Tensor x,
        long[] kernel,
        long[] stride,
        long[] padding,
        bool ceil,
        bool relu = false
    ) => MaxPoolOperator.Call(x, kernel, stride, padding, ceil, relu);

    /// <summary>
    /// <see cref="MaxPool"/>, and its input: whoever reads <paramref name="x"/> later must read it from the second result alone,
    /// so that their gradient is added while that of the maxima is written.
    /// </summary>
    public static (Tensor Result, Tensor Input) MaxPoolFork(
        Tensor x,
        long[] kernel,
        long[] stride,
        long[] padding,
        bool ceil,
        bool relu = false
    ) => MaxPoolForkOperator.Call2(x, kernel, stride, padding, ceil, relu);

    /// <summary>
    /// A convolution: <c>[N,C,H,W] → [N,K,H',W']</c>, of <paramref name="x"/>'s type. Weight <c>[K,C/groups,h,w]</c> and bias
    /// <c>[K]</c> may be float32 beside a bfloat16 <paramref name="x"/>; their gradients then are float32 too. 3×3 windows of
    /// stride 1 may be computed by Winograd's method, which rounds differently: see docs/performance.md.
    /// </summary>
    public static Tensor Convolve(
        Tensor x,
        Tensor weight,
        Tensor? bias,
        long[] stride,
        long[] padding,
        long[] dilation,
        long groups
    ) => ConvolveOperator.Call(x, weight, bias, stride, padding, dilation, groups);

    /// <summary>
    /// <see cref="Convolve"/>, and its input: whoever reads <paramref name="x"/> later must read it from the second result alone,
    /// so that their gradient is added while that of the convolution is written.
    /// </summary>
    public static (Tensor Result, Tensor Input) ConvolveFork(
        Tensor x,
        Tensor weight,
        Tensor? bias,
        long[] stride,
        long[] padding,
        long[] dilation,
        long groups
    ) => ConvolveForkOperator.Call2(x, weight, bias, stride, padding, dilation, groups);

    /// <summary><c>y = act(y + addend)</c> in place and without a gradient: any shape. The activation is ReLU where
    /// <paramref name="relu"/>, else none.</summary>
    public static void AddRelu(Tensor y, Tensor? addend, bool relu) => AddReluOperator.Run(y, addend, relu);

    /// <summary>The sum of all tensors' absolute values, as one number on their device.</summary>
    public static Tensor Magnitude(Tensor[] tensors) => MagnitudeOperator.Call(tensors);

    /// <summary>A number that grows with every change in place of one of the tensors: equal numbers, equal values.</summary>
    public static long Versions(Tensor[] tensors) => VersionsOperator.CallScalar(tensors).ToInt64();
}
