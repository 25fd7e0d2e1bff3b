using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>A stage that is one of TorchSharp's operations, whose gradient autograd knows.</summary>
/// <param name="type">Of the weights while they are used; null where they stay as they are.</param>
internal sealed class Composed(Operation operation, LayerWeights weights, ScalarType? type) : Computation
{
    public override Tensor Run(IReadOnlyList<Tensor> x, bool training)
    {
        if (type is not { } cast || weights.IsEmpty)
            return operation(x, weights, training);
        // Casts belong to this scope; autograd keeps those that the backward pass needs.
        using var scope = NewDisposeScope();
        return operation(x, weights.To(cast), training).MoveToOuterDisposeScope();
    }

    /// <summary>Keeps its inputs as leaves of a graph of its own, and the output that the graph ends in.</summary>
    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        using var withGradient = enable_grad();
        var leaves = new Tensor[x.Count];
        for (int i = 0; i < leaves.Length; i++)
        {
            leaves[i] = kept.Wanted[i] ? x[i].detach().requires_grad_() : x[i];
            if (kept.Wanted[i])
                kept.Add(leaves[i]);
        }
        var y = Run(leaves, training: true);
        kept.Add(y);
        return y.detach();
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        var y = kept.Tensors[^1];
        var parameters = weights.All.Where(weight => weight.requires_grad).ToArray();
        Tensor[] leaves = [.. kept.Tensors.Take(kept.Tensors.Count - 1), .. parameters];
        var found = autograd.grad([y], leaves, [dy], allow_unused: true);
        int next = 0;
        for (int i = 0; i < kept.Wanted.Length; i++)
            if (kept.Wanted[i] && !found[next++].IsInvalid)
                gradients.Give(i, found[next - 1], isFresh: false);
        for (int i = 0; i < parameters.Length; i++)
            if (!found[next + i].IsInvalid)
                gradients.Give(parameters[i], found[next + i]);
    }
}
