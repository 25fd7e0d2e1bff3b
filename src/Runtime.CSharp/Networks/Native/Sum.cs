using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>A sum, each of whose inputs has the gradient of the whole.</summary>
internal sealed class Sum : Computation
{
    private static readonly Operation Add = Operations.For(Op.Add);

    public override Tensor Run(IReadOnlyList<Tensor> x, bool training) => Add(x, LayerWeights.None, training);

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept) => Run(x, training: true);

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        for (int i = 0; i < kept.Wanted.Length; i++)
            if (gradients.Wants(i))
                gradients.Give(i, dy.alias(), isFresh: false);
    }
}
