using CnnSpec.Ir;
using CnnSpec.Kernels;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>The loops of <c>src/Kernels</c>.</summary>
internal sealed class NativeKernels : IKernels
{
    public string Name => KernelLibrary.Level;

    public bool MixesPrecisions => true;

    public Computation? ComputationOf(Ir.Stage stage, LayerWeights[] layers, ScalarType? weightType)
    {
        var range = stage.Channels?.Value;
        return stage.Kernel switch
        {
            Kernel.Normalise k => new NativeBatchNorm(k.Item1, layers[0], k.sum, k.relu, range),
            Kernel.Single { Item: Op.BatchNorm norm } => new NativeBatchNorm(
                norm.Item,
                layers[0],
                sum: false,
                relu: false,
                range
            ),
            Kernel.MaxPoolRelu k => new NativeMaxPool(k.Item, relu: true),
            Kernel.Single { Item: Op.MaxPool pool } => new NativeMaxPool(pool.Item, relu: false),
            Kernel.Single { Item: Op.Conv conv } => new NativeConvolution(conv.Item, layers),
            Kernel.MergedConv k => new NativeConvolution(k.Item.Head, layers),
            Kernel.Join k => new NativeConcat(k.within?.Value, k.before, k.after),
            Kernel.Single { Item: var op } when op.IsConcat => new NativeConcat(null, 0, 0),
            Kernel.Single { Item: var op } when op.IsAdd => new Sum(),
            Kernel.Single { Item: Op.Linear } => new Linear(layers[0], weightType),
            Kernel.Single { Item: Op.Activate { Item.IsRelu: true } } => new Rectified(),
            Kernel.Single { Item: var op } when op.IsFlatten => new Flattened(),
            _ => null,
        };
    }

    public (Func<IReadOnlyList<Tensor>, Tensor> Run, IDisposable Owned) Prepare(
        Convolution conv,
        Tensor weight,
        Tensor? bias,
        ScalarType type,
        bool sum,
        bool relu
    )
    {
        var prepared = new PreparedConvolution(conv, weight, bias, type);
        return (x => prepared.Run(x[0], sum ? x[1] : null, relu), prepared);
    }

    public void AddRelu(Tensor y, Tensor? addend, bool relu)
    {
        if (!y.HasKernels() || y.RowStride() is null || (addend is not null && addend.dtype != y.dtype))
        {
            ComposedKernels.Instance.AddRelu(y, addend, relu);
            return;
        }
        using var rows = addend?.AsRows();
        KernelLibrary.AddRelu(y.RowShapeOf(), y.Rows(), rows.RowsOrNone(), relu);
    }
}
