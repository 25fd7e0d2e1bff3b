using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>
/// A convolution whose filters do not change any more, turned once into what the engine's kernels read: points for Winograd's
/// method, and a packed form for small maps. It has no gradient.
/// </summary>
public sealed class PreparedConvolution : IDisposable
{
    private static readonly Operator PrepareOperator = new("cnnspec::prepare_convolution");
    private static readonly Operator ConvolveOperator = new("cnnspec::convolve_prepared");

    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly Tensor _points;
    private readonly Tensor _packed;
    private readonly long[] _stride;
    private readonly long[] _padding;
    private readonly long[] _dilation;

    /// <param name="weight"><c>[K,C,h,w]</c>.</param>
    /// <param name="bias"><c>[K]</c>, or none.</param>
    /// <param name="type">Of the maps it will meet: float32 or bfloat16.</param>
    public PreparedConvolution(
        Tensor weight,
        Tensor? bias,
        ScalarType type,
        long[] stride,
        long[] padding,
        long[] dilation
    )
    {
        (_stride, _padding, _dilation) = (stride, padding, dilation);
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var (points, packed) = PrepareOperator.Call2(weight, type, stride, padding, dilation);
        _points = points.DetachFromDisposeScope();
        _packed = packed.DetachFromDisposeScope();
        _weight = weight.detach().to(type).ChannelsLast().DetachFromDisposeScope();
        _bias = bias?.detach().to(ScalarType.Float32).contiguous().DetachFromDisposeScope();
    }

    /// <summary><c>act(convolution(x) + addend)</c>: <c>[N,C,H,W] → [N,K,H',W']</c>, of the type it was prepared for. The
    /// activation is ReLU where <paramref name="relu"/>, else none.</summary>
    public Tensor Call(Tensor x, Tensor? addend = null, bool relu = false) =>
        ConvolveOperator.Call(x, _weight, _bias, _points, _packed, addend, relu, _stride, _padding, _dilation);

    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
        _points.Dispose();
        _packed.Dispose();
    }
}
