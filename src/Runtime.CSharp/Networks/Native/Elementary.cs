using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>A linear layer, <c>x·Wᵀ + b</c>: its gradient is two products and a sum, which autograd takes longer to call than
/// small layers take to compute.</summary>
/// <param name="type">Of the weights while they are used; null where they stay as they are.</param>
internal sealed class Linear(LayerWeights weights, ScalarType? type) : Computation
{
    private static readonly Operation Product = Operations.For(Op.NewLinear(1, true));

    private readonly Composed _composed = new(Product, weights, type);

    public override Tensor Run(IReadOnlyList<Tensor> x, bool training) => _composed.Run(x, training);

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        if (x[0].dim() != 2)
            return _composed.Record(x, kept);
        kept.Add(x[0].alias());
        kept.Shape = this;
        return _composed.Run(x, training: true);
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        if (kept.Shape is null)
        {
            _composed.Backward(dy, kept, gradients);
            return;
        }
        using var scope = NewDisposeScope();
        var (x, weight) = (kept.Tensors[0], weights.Weight);
        if (gradients.Wants(0))
            gradients.Give(0, dy.mm(weight.to(dy.dtype)), isFresh: true);
        if (weight.requires_grad)
            gradients.Give(weight, dy.t().mm(x).to(weight.dtype).DetachFromDisposeScope());
        if (weights.Bias is { requires_grad: true } bias)
            gradients.Give(bias, dy.to(bias.dtype).sum(0L).DetachFromDisposeScope());
    }
}

/// <summary>ReLU by itself: what it let through is read off its output.</summary>
internal sealed class Rectified : Computation
{
    public override Tensor Run(IReadOnlyList<Tensor> x, bool training) => x[0].relu();

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        var y = x[0].relu();
        kept.Add(y.alias());
        return y;
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        if (!gradients.Wants(0))
            return;
        using var passed = kept.Tensors[0].sign();
        gradients.Give(0, dy.mul(passed), isFresh: true);
    }
}

/// <summary>A map as features: the same values in another shape.</summary>
internal sealed class Flattened : Computation
{
    public override Tensor Run(IReadOnlyList<Tensor> x, bool training) => x[0].flatten(1);

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        var shape = new long[x[0].dim()];
        for (int dim = 0; dim < shape.Length; dim++)
            shape[dim] = x[0].size(dim);
        kept.Shape = shape;
        return x[0].flatten(1);
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        if (gradients.Wants(0))
            gradients.Give(0, dy.reshape((long[])kept.Shape!), isFresh: false);
    }
}
