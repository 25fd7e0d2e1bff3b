using CnnSpec.Ir;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>Batch normalisation with fixed statistics is a factor and an offset for each channel, which the convolution before
/// it can have in its weights: <c>γ(w∗x + b − μ)/√(σ² + ε) + β = (f·w)∗x + f·(b − μ) + β</c> with <c>f = γ/√(σ² + ε)</c>.</summary>
internal static class FoldedWeights
{
    /// <param name="conv">The convolution's weights, <c>[K,C/groups,h,w]</c> and maybe <c>[K]</c>.</param>
    /// <param name="norm">The normalisation after it.</param>
    /// <returns>A weight and a bias, float32, which belong to the scope that is open.</returns>
    public static (Tensor Weight, Tensor Bias) Of(LayerWeights conv, BatchNormalisation norm, LayerWeights normWeights)
    {
        using var scope = NewDisposeScope();
        // In double precision: the sum of two large numbers may be a small one.
        var weight = conv.Weight.to(ScalarType.Float64);
        var mean = normWeights.RunningMean.to(ScalarType.Float64);
        var variance = normWeights.RunningVariance.to(ScalarType.Float64);
        var factor = normWeights.Scale?.to(ScalarType.Float64) ?? ones_like(mean);
        var offset = normWeights.Bias?.to(ScalarType.Float64) ?? zeros_like(mean);
        factor = factor.div(variance.Plus(norm.Epsilon).sqrt());
        var shift = conv.Bias is { } bias ? bias.to(ScalarType.Float64).Plus(mean.neg()) : mean.neg();
        return (
            weight.mul(factor.view(-1, 1, 1, 1)).to(ScalarType.Float32).MoveToOuterDisposeScope(),
            shift.mul(factor).Plus(offset).to(ScalarType.Float32).MoveToOuterDisposeScope()
        );
    }
}
