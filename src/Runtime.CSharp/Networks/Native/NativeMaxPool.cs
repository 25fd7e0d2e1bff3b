using CnnSpec.Kernels;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>Max pooling, then ReLU where asked, which is ReLU first. libtorch keeps eight bytes for the place of each maximum;
/// here it is one, the place within the window.</summary>
internal sealed class NativeMaxPool(MaxPooling pool, bool relu) : Computation
{
    /// <summary>Places that a byte can tell, but for the one that says "nowhere".</summary>
    private const int MostPlaces = 255;

    private readonly Composed _composed = new(Compose(pool, relu), LayerWeights.None, null);

    public override Tensor Run(IReadOnlyList<Tensor> x, bool training)
    {
        if (!Fits(x[0]) || is_grad_enabled())
            return _composed.Run(x, training);
        using var map = x[0].ChannelsLast();
        return Forward(map, ShapeOf(map), null);
    }

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        if (!Fits(x[0]))
            return _composed.Record(x, kept);
        using var map = x[0].ChannelsLast();
        var shape = ShapeOf(map);
        var position = TensorMemory.EmptyMap(
            shape.Images,
            shape.Channels,
            shape.OutHeight,
            shape.OutWidth,
            ScalarType.Byte
        );
        kept.Add(position);
        kept.Shape = shape;
        return Forward(map, shape, position);
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        if (kept.Shape is not PoolShape shape)
        {
            _composed.Backward(dy, kept, gradients);
            return;
        }
        if (!gradients.Wants(0))
            return;
        using var given = dy.ChannelsLast();
        using var passed = gradients.Pending(0)?.ChannelsLast();
        var dx = TensorMemory.EmptyMap(shape.Images, shape.Channels, shape.Height, shape.Width, dy.dtype);
        KernelLibrary.MaxPoolBackward(
            given.ElementOf(),
            shape,
            given.Data(),
            kept.Tensors[0].Data(),
            passed.DataOrNull(),
            dx.Data()
        );
        gradients.GiveSum(0, dx);
    }

    private bool Fits(Tensor x) =>
        x.HasKernels()
        && pool.Dilation.Height == 1
        && pool.Dilation.Width == 1
        && pool.Kernel.Height * pool.Kernel.Width <= MostPlaces
        && 2 * pool.Padding.Height <= pool.Kernel.Height
        && 2 * pool.Padding.Width <= pool.Kernel.Width;

    private Tensor Forward(Tensor x, in PoolShape shape, Tensor? position)
    {
        var y = TensorMemory.EmptyMap(shape.Images, shape.Channels, shape.OutHeight, shape.OutWidth, x.dtype);
        KernelLibrary.MaxPool(x.ElementOf(), shape, relu, x.Data(), y.Data(), position.DataOrNull());
        return y;
    }

    private PoolShape ShapeOf(Tensor x)
    {
        var (height, width) = (x.size(2), x.size(3));
        return new(
            x.size(0),
            x.size(1),
            height,
            width,
            Size(height, pool.Kernel.Height, pool.Stride.Height, pool.Padding.Height),
            Size(width, pool.Kernel.Width, pool.Stride.Width, pool.Padding.Width),
            pool.Kernel.Height,
            pool.Kernel.Width,
            pool.Stride.Height,
            pool.Stride.Width,
            pool.Padding.Height,
            pool.Padding.Width
        );
    }

    /// <summary>As PyTorch has it: rounded up, a last window still begins on the map or its first padding.</summary>
    private long Size(long size, long kernel, long stride, long padding)
    {
        long windows = (size + 2 * padding - kernel + (pool.Ceil ? stride - 1 : 0)) / stride + 1;
        return pool.Ceil && (windows - 1) * stride >= size + padding ? windows - 1 : windows;
    }

    /// <summary>The same by TorchSharp's operations.</summary>
    public static Operation Compose(MaxPooling pool, bool relu)
    {
        var maxima = Operations.For(Op.NewMaxPool(pool));
        return (x, w, training) =>
        {
            var y = maxima(x, w, training);
            if (!relu)
                return y;
            using (y)
                return y.relu();
        };
    }
}
