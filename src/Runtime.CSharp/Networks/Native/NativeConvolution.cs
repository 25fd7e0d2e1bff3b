using CnnSpec.Kernels;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>
/// A convolution, each of whose three products (the map, the gradient of the input, that of the weight) is the native
/// loops' where those are the faster, and libtorch's everywhere else. Weights stay float32 beside maps of bfloat16.
/// Several convolutions of one input are computed as one, their filters one after the other.
/// </summary>
internal sealed class NativeConvolution(Convolution conv, LayerWeights[] layers) : Computation
{
    private readonly Composed? _composed =
        layers.Length == 1 ? new(Operations.For(Op.NewConv(conv)), layers[0], null) : null;

    public override Tensor Run(IReadOnlyList<Tensor> x, bool training)
    {
        if (is_grad_enabled() || !x[0].HasKernels())
            return Compose(conv, layers)(x, LayerWeights.None, training);
        using var map = x[0].ChannelsLast();
        using var scope = NewDisposeScope();
        return Forward(map, Together("weight")!, Together("bias")).MoveToOuterDisposeScope();
    }

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        if (_composed is not null && (conv.Groups != 1 || !x[0].HasKernels()))
            return _composed.Record(x, kept);
        using var scope = NewDisposeScope();
        var map = x[0].ChannelsLast();
        kept.Add(map);
        var weight = Together("weight")!;
        // A weight that was put together is kept for the backward pass; a layer's own is there anyway.
        if (layers.Length > 1)
            kept.Add(weight);
        kept.Shape = this;
        return Forward(map, weight, Together("bias")).MoveToOuterDisposeScope();
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        if (kept.Shape is null)
        {
            _composed!.Backward(dy, kept, gradients);
            return;
        }
        using var scope = NewDisposeScope();
        var x = kept.Tensors[0];
        var weight = layers.Length > 1 ? kept.Tensors[1] : layers[0].Weight;
        var (element, shape) = (x.ElementOf(), ShapeOf(conv, x, weight.size(0)));
        var given = dy.ChannelsLast();
        bool wantsInput = gradients.Wants(0);
        bool wantsWeight = layers.Any(layer => layer.Weight.requires_grad);
        bool ownInput = wantsInput && KernelLibrary.HasConv(element, shape, ConvProduct.InputGradient);
        bool ownWeight = wantsWeight && KernelLibrary.HasConv(element, shape, ConvProduct.WeightGradient);

        if (ownInput)
        {
            var passed = gradients.Pending(0)?.ChannelsLast();
            var dx = TensorMemory.EmptyRowsLike(x);
            KernelLibrary.ConvInputGradient(
                element,
                shape,
                given.Data(),
                weight.Data(),
                passed.DataOrNull(),
                dx.Data()
            );
            gradients.GiveSum(0, dx);
        }
        Tensor? dweight = null;
        if (ownWeight)
        {
            dweight = empty([shape.Filters, shape.Channels, shape.KernelHeight, shape.KernelWidth]);
            KernelLibrary.ConvWeightGradient(element, shape, x.Data(), given.Data(), dweight.Data());
        }
        if (wantsInput && !ownInput || wantsWeight && !ownWeight)
        {
            var (dx, rest) = TorchScript.ConvolutionGradients(
                given,
                x,
                weight.detach().to(x.dtype),
                shape,
                wantsInput && !ownInput,
                wantsWeight && !ownWeight
            );
            if (dx is not null)
                gradients.Give(0, dx, isFresh: true);
            // As the weight lies, for the optimizer's loops; oneDNN gives it as it likes.
            dweight ??= rest?.to(ScalarType.Float32).contiguous();
        }
        GiveWeights(gradients, "weight", dweight);
        if (layers[0].Bias is not null && layers.Any(layer => layer.Bias!.requires_grad))
        {
            var dbias = empty(shape.Filters);
            KernelLibrary.ChannelSums(given.RowShapeOf(), given.Rows(), dbias.Data());
            GiveWeights(gradients, "bias", dbias);
        }
    }

    private Tensor Forward(Tensor x, Tensor weight, Tensor? bias)
    {
        var (element, shape) = (x.ElementOf(), ShapeOf(conv, x, weight.size(0)));
        if (conv.Groups == 1 && KernelLibrary.HasConv(element, shape, ConvProduct.Output))
        {
            var y = TensorMemory.EmptyMap(shape.Images, shape.Filters, shape.OutHeight, shape.OutWidth, x.dtype);
            KernelLibrary.ConvOutput(element, shape, x.Data(), weight.Data(), bias.DataOrNull(), y.Data());
            return y;
        }
        return nn.functional.conv2d(
            x,
            weight.to(x.dtype),
            bias?.to(x.dtype),
            [shape.StrideHeight, shape.StrideWidth],
            [shape.PadTop, shape.PadLeft],
            [shape.DilationHeight, shape.DilationWidth],
            conv.Groups
        );
    }

    /// <summary>A weight of all layers, one after the other; the layer's own where there is one.</summary>
    private Tensor? Together(string name)
    {
        var each = Array.ConvertAll(layers, layer => name == "weight" ? layer.Weight : layer.Bias);
        return each.Length == 1 || each[0] is null ? each[0] : cat(each!, 0);
    }

    private void GiveWeights(Gradients gradients, string name, Tensor? whole)
    {
        if (whole is null)
            return;
        long first = 0;
        foreach (var layer in layers)
        {
            var weight = name == "weight" ? layer.Weight : layer.Bias!;
            long count = weight.size(0);
            if (weight.requires_grad)
                gradients.Give(
                    weight,
                    (layers.Length == 1 ? whole : whole.narrow(0, first, count)).DetachFromDisposeScope()
                );
            first += count;
        }
    }

    /// <summary>The same by TorchSharp's operations.</summary>
    public static Operation Compose(Convolution conv, LayerWeights[] layers)
    {
        var convolve = Operations.For(Op.NewConv(conv));
        return (x, _, training) =>
        {
            using var scope = NewDisposeScope();
            var type = x[0].dtype;
            var weight = cat([.. layers.Select(layer => layer.Weight)], 0).to(type);
            var bias = layers[0].Bias is null ? null : cat([.. layers.Select(layer => layer.Bias!)], 0).to(type);
            return convolve(x, LayerWeights.Of("", weight, bias), training).MoveToOuterDisposeScope();
        };
    }

    /// <summary>The shape of a convolution of <paramref name="x"/>, <c>[N,C,H,W]</c>.</summary>
    public static ConvShape ShapeOf(Convolution conv, Tensor x, long filters)
    {
        var (height, width) = (x.size(2), x.size(3));
        return new(
            x.size(0),
            x.size(1),
            height,
            width,
            filters,
            Size(height, conv.Kernel.Height, conv.Stride.Height, conv.Padding.Top, conv.Dilation.Height),
            Size(width, conv.Kernel.Width, conv.Stride.Width, conv.Padding.Left, conv.Dilation.Width),
            conv.Kernel.Height,
            conv.Kernel.Width,
            conv.Stride.Height,
            conv.Stride.Width,
            conv.Padding.Top,
            conv.Padding.Left,
            conv.Dilation.Height,
            conv.Dilation.Width
        );

        // Lowering has split off padding that differs between opposite sides.
        static long Size(long size, long kernel, long stride, long padding, long dilation) =>
            (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
    }
}
