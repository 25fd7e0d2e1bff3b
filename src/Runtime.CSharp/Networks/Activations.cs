using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.Runtime.Networks;

/// <summary>The elementwise nonlinearities.</summary>
internal static class Activations
{
    public static Operation For(Activation activation) =>
        activation switch
        {
            Activation.LeakyRelu a => (x, _, _) => x[0].leaky_relu(Arithmetic.Number(a.slope)),
            Activation.Elu a => (x, _, _) =>
                x[0].elu(Arithmetic.Number(a.alpha), Arithmetic.Number(1), Arithmetic.Number(1)),
            Activation.Gelu { tanhApproximation: true } => (x, _, _) => TanhGelu(x[0]),
            Activation.Gelu => (x, _, _) => functional.gelu(x[0]),
            _ when activation.IsRelu => (x, _, _) => functional.relu(x[0]),
            _ when activation.IsRelu6 => (x, _, _) => functional.relu6(x[0]),
            _ when activation.IsSelu => (x, _, _) => functional.selu(x[0]),
            _ when activation.IsSilu => (x, _, _) => functional.silu(x[0]),
            _ when activation.IsMish => (x, _, _) => functional.mish(x[0]),
            _ when activation.IsSoftplus => (x, _, _) => functional.softplus(x[0]),
            _ when activation.IsSigmoid => (x, _, _) => x[0].sigmoid(),
            _ when activation.IsTanh => (x, _, _) => x[0].tanh(),
            _ when activation.IsHardSigmoid => (x, _, _) => functional.hardsigmoid(x[0]),
            _ when activation.IsHardSwish => (x, _, _) => functional.hardswish(x[0]),
            _ => throw new NotSupportedException($"the runtime has no activation {activation}"),
        };

    /// <summary><c>½x(1 + tanh(√(2/π)(x + 0.044715x³)))</c>, composed because TorchSharp exposes only the exact form.</summary>
    private static Tensor TanhGelu(Tensor x)
    {
        using var scope = NewDisposeScope();
        var inner = x.pow(Arithmetic.Number(3)).Times(0.044715).Plus(x).Times(Math.Sqrt(2 / Math.PI));
        return inner.tanh().Plus(1).mul(x).Times(0.5).MoveToOuterDisposeScope();
    }
}
