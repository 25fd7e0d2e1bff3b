using CnnSpec.Ir;
using CnnSpec.Kernels;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>
/// Batch normalisation, a sum and ReLU in one computation: <c>act(batch_norm(x₀) + x₁)</c>. What lies between is never
/// written; the backward pass keeps the input and, where there is a sum, the output, both of which their neighbours keep
/// anyway.
/// </summary>
/// <param name="range">The channels of the input that are normalised; null for all.</param>
internal sealed class NativeBatchNorm(
    BatchNormalisation norm,
    LayerWeights weights,
    bool sum,
    bool relu,
    ChannelRange? range
) : Computation
{
    private readonly Composed _composed = new(Compose(norm, sum, relu, range), weights, null);

    public override Tensor Run(IReadOnlyList<Tensor> x, bool training)
    {
        if (!Fits(x, training) || is_grad_enabled())
            return _composed.Run(x, training);
        using var rows = Part(x[0]);
        using var addend = sum ? x[1].AsRows() : null;
        var y = TensorMemory.EmptyRowsLike(rows);
        using var statistics = training ? Statistics(rows) : null;
        Forward(rows, addend, y, statistics);
        return y;
    }

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        if (!Fits(x, training: true))
            return _composed.Record(x, kept);
        var whole = x[0].AsRows();
        using var rows = Part(whole);
        using var addend = sum ? x[1].AsRows() : null;
        var y = TensorMemory.EmptyRowsLike(rows);
        var statistics = Statistics(rows);
        Forward(rows, addend, y, statistics);
        kept.Add(whole);
        kept.Add(statistics);
        if (sum && relu)
            kept.Add(y.alias());
        kept.Shape = this;
        return y;
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        if (kept.Shape is null)
        {
            _composed.Backward(dy, kept, gradients);
            return;
        }
        var (whole, statistics) = (kept.Tensors[0], kept.Tensors[1]);
        using var x = Part(whole);
        using var given = dy.AsRows();
        bool all = range is null || range.Count == whole.size(1);
        var pending = gradients.Wants(0) ? gradients.Pending(0) : null;
        // Its own gradient is added in place where nobody else reads what others gave.
        bool inPlace = pending?.RowStride() is not null && (!all || gradients.PendingIsOwn(0));
        using var passed = all && pending is not null ? pending.AsRows() : null;
        // Of a range of channels the others give theirs, in the same memory.
        var dwhole = inPlace ? pending! : TensorMemory.EmptyRowsLike(whole);
        using var dx = Part(dwhole);
        bool masks = sum && relu;
        var masked = masks ? TensorMemory.EmptyRowsLike(given) : null;
        var (scale, shift) = (weights.Scale, weights.Bias);
        bool trains = scale is not null && (scale.requires_grad || shift!.requires_grad);
        var dscale = trains ? empty(scale!.numel()) : null;
        var dshift = trains ? empty(scale!.numel()) : null;

        KernelLibrary.BatchNormBackward(
            Shape(x, statistics),
            given.Rows(),
            x.Rows(),
            masks ? kept.Tensors[2].Rows() : default,
            masked.RowsOrNone(),
            passed.RowsOrNone(),
            dx.Rows(),
            dscale.DataOrNull(),
            dshift.DataOrNull()
        );
        if (!gradients.Wants(0))
            dwhole.Dispose();
        else if (all || pending is not null)
            gradients.GiveSum(0, dwhole);
        else
            gradients.Give(0, dwhole, isFresh: true);
        if (sum && gradients.Wants(1))
            gradients.Give(1, masked ?? dy.alias(), isFresh: masks);
        else
            masked?.Dispose();
        Give(scale, dscale);
        Give(shift, dshift);

        void Give(Tensor? weight, Tensor? gradient)
        {
            if (gradient is not null && weight!.requires_grad)
                gradients.Give(weight, gradient);
            else
                gradient?.Dispose();
        }
    }

    private bool Fits(IReadOnlyList<Tensor> x, bool training) =>
        x[0].HasKernels()
        && (!training || x[0].numel() > x[0].size(1))
        && (!sum || (x[1].dtype == x[0].dtype && x[1].HasKernels()));

    private void Forward(Tensor x, Tensor? addend, Tensor y, Tensor? statistics)
    {
        if (statistics is null)
        {
            KernelLibrary.BatchNormEvaluate(Shape(x, null), x.Rows(), addend.RowsOrNone(), y.Rows());
            return;
        }
        unsafe
        {
            *(long*)weights.BatchesSeen.Data() += 1;
        }
        KernelLibrary.BatchNormForward(Shape(x, statistics), x.Rows(), addend.RowsOrNone(), y.Rows());
    }

    private BatchNormShape Shape(Tensor x, Tensor? statistics)
    {
        var (element, rows, channels) = x.RowShapeOf();
        return new BatchNormShape
        {
            Element = (int)element,
            Relu = relu ? 1 : 0,
            Rows = rows,
            Channels = channels,
            Momentum = norm.Momentum,
            Epsilon = norm.Epsilon,
            Weight = weights.Scale.DataOrNull(),
            Bias = weights.Bias.DataOrNull(),
            RunningMean = weights.RunningMean.Data(),
            RunningVariance = weights.RunningVariance.Data(),
            Statistics = statistics.DataOrNull(),
        };
    }

    private static Tensor Statistics(Tensor x) => empty(4 * x.size(1));

    /// <summary>A handle of the caller's to the channels that are normalised.</summary>
    private Tensor Part(Tensor whole) => range is null ? whole.AsRows() : whole.Neighbours(range.First, range.Count);

    /// <summary>The same by TorchSharp's operations.</summary>
    public static Operation Compose(BatchNormalisation norm, bool sum, bool relu, ChannelRange? range)
    {
        var normalise = Operations.For(Op.NewBatchNorm(norm));
        return (x, w, training) =>
        {
            using var scope = NewDisposeScope();
            var y = range is null ? x[0] : x[0].narrow(1, range.First, range.Count);
            y = normalise([y], w, training);
            if (sum)
                y = y.Plus(x[1]);
            return (relu ? y.relu() : y).MoveToOuterDisposeScope();
        };
    }
}
