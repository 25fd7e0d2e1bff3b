using CnnSpec.Ir;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>Batch normalisation with fixed statistics is a factor and an offset for each channel, which the convolution before
/// it can have in its weights: <c>γ(w∗x + b − μ)/√(σ² + ε) + β = (f·w)∗x + f·(b − μ) + β</c> with <c>f = γ/√(σ² + ε)</c>.</summary>
internal static class FoldedWeights
{
    /// <param name="weights">Of the convolution, <c>[K,C/groups,h,w]</c> and maybe <c>[K]</c>, then of the normalisation.</param>
    /// <returns>A convolution's weight and bias, float32; of any other kernel its own weights.</returns>
    public static Tensor[] Of(Kernel kernel, Tensor[] weights)
    {
        if (kernel is not Kernel.Convolve { Item1: var conv, norm.Value: { } norm })
            return weights;
        using var scope = NewDisposeScope();
        // In double precision: the sum of two large numbers may be a small one.
        var wide = Array.ConvertAll(weights, weight => weight.to(ScalarType.Float64));
        int next = conv.Bias ? 2 : 1;
        var factor = norm.Affine ? wide[next] : ones_like(wide[next]);
        var offset = norm.Affine ? wide[next + 1] : zeros_like(wide[next]);
        var (mean, variance) = norm.Affine ? (wide[next + 2], wide[next + 3]) : (wide[next], wide[next + 1]);
        factor = factor.div(variance.add(norm.Epsilon).sqrt());
        var shift = conv.Bias ? wide[1].sub(mean) : mean.neg();
        return
        [
            wide[0].mul(factor.view(-1, 1, 1, 1)).to(ScalarType.Float32).MoveToOuterDisposeScope(),
            shift.mul(factor).add(offset).to(ScalarType.Float32).MoveToOuterDisposeScope(),
        ];
    }
}
