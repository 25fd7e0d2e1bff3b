using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.Runtime.Networks;

/// <summary>First values of weights, by the rules of the spec or PyTorch's defaults.</summary>
internal static class Initialisation
{
    /// <param name="weight">Filled in place.</param>
    /// <param name="filter">The layer's <c>weight</c>, whose fan-in bounds a default bias.</param>
    public static void Fill(Tensor weight, Initialiser rule, Tensor filter)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        switch (rule)
        {
            case Initialiser.Constant r:
                init.constant_(weight, r.Item);
                break;
            case Initialiser.Normal r:
                init.normal_(weight, r.mean, r.deviation);
                break;
            case Initialiser.TruncatedNormal r:
                init.trunc_normal_(weight, r.mean, r.deviation);
                break;
            case Initialiser.Uniform r:
                init.uniform_(weight, r.low, r.high);
                break;
            case Initialiser.KaimingNormal r:
                init.kaiming_normal_(weight, r.a, Fan(r.fanOut));
                break;
            case Initialiser.KaimingUniform r:
                init.kaiming_uniform_(weight, r.a, Fan(r.fanOut));
                break;
            case Initialiser.XavierNormal r:
                init.xavier_normal_(weight, r.gain);
                break;
            case Initialiser.XavierUniform r:
                init.xavier_uniform_(weight, r.gain);
                break;
            case Initialiser.Orthogonal r:
                init.orthogonal_(weight, r.gain);
                break;
            default:
                var (fanIn, _) = init.CalculateFanInAndFanOut(filter);
                double bound = fanIn > 0 ? 1 / Math.Sqrt(fanIn) : 0;
                init.uniform_(weight, -bound, bound);
                break;
        }
    }

    private static init.FanInOut Fan(bool fanOut) => fanOut ? init.FanInOut.FanOut : init.FanInOut.FanIn;
}
