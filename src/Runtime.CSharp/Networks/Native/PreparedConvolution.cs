using CnnSpec.Kernels;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>
/// A convolution of evaluation, whose filters are turned once into what the native loops read: points for Winograd's method,
/// and a packed form for small maps. Its sum and ReLU are done while the outputs are in registers.
/// </summary>
internal sealed class PreparedConvolution : IDisposable
{
    private readonly Convolution _conv;
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly Tensor? _biasOfType;
    private readonly long _filters;
    private nint _prepared;

    /// <param name="weight"><c>[K,C,h,w]</c>, float32.</param>
    /// <param name="bias"><c>[K]</c>, or none.</param>
    /// <param name="type">Of the maps it will meet: float32 or bfloat16.</param>
    public PreparedConvolution(Convolution conv, Tensor weight, Tensor? bias, ScalarType type)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        (_conv, _filters) = (conv, weight.size(0));
        _weight = weight.detach().to(type).ChannelsLast().DetachFromDisposeScope();
        _bias = bias?.detach().to(ScalarType.Float32).contiguous().DetachFromDisposeScope();
        _biasOfType = bias?.detach().to(type).DetachFromDisposeScope();
        if (conv.Groups != 1)
            return;
        // What the loops read is rounded as the maps are.
        var floats = weight.detach().to(type).to(ScalarType.Float32).contiguous();
        var element = type == ScalarType.Float32 ? Element.Float32 : Element.BFloat16;
        _prepared = KernelLibrary.Prepare(
            element,
            // Of the shape only channels, filters and windows matter here.
            NativeConvolution.ShapeOf(conv, weight, _filters),
            floats.Data()
        );
    }

    /// <summary><c>act(convolution(x) + addend)</c>: <c>[N,C,H,W] → [N,K,H',W']</c>, of the type it was prepared for.</summary>
    public Tensor Run(Tensor input, Tensor? addend, bool relu)
    {
        using var x = input.ChannelsLast();
        var shape = NativeConvolution.ShapeOf(_conv, x, _filters);
        if (_prepared == 0 || !x.HasKernels() || !KernelLibrary.HasPrepared(_prepared, shape))
        {
            var made = ByLibtorch(x, shape);
            if (addend is not null || relu)
                KernelChoice.Chosen.AddRelu(made, addend, relu);
            return made;
        }
        using var sum = addend?.ChannelsLast();
        var y = TensorMemory.EmptyMap(shape.Images, shape.Filters, shape.OutHeight, shape.OutWidth, x.dtype);
        KernelLibrary.RunPrepared(_prepared, shape, x.Data(), _bias.DataOrNull(), sum.DataOrNull(), relu, y.Data());
        return y;
    }

    private Tensor ByLibtorch(Tensor x, in ConvShape shape) =>
        x.dtype == ScalarType.Float32 && _conv.Groups == 1
            ? TorchScript.Convolve(x, _weight, _biasOfType, shape)
            : nn.functional.conv2d(
                x,
                _weight,
                _biasOfType,
                [shape.StrideHeight, shape.StrideWidth],
                [shape.PadTop, shape.PadLeft],
                [shape.DilationHeight, shape.DilationWidth],
                _conv.Groups
            );

    public void Dispose()
    {
        if (_prepared != 0)
            KernelLibrary.Free(_prepared);
        _prepared = 0;
        _weight.Dispose();
        _bias?.Dispose();
        _biasOfType?.Dispose();
    }
}
