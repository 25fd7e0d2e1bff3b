using CnnSpec.LibTorch;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

internal interface IAdamState
{
    long Advance();
    Tensor Mean { get; }
    Tensor Square { get; }
    Tensor LargestSquare { get; }
}

internal interface IAdamOptions
{
    (double, double) Betas { get; }
    double Eps { get; }
    bool Amsgrad { get; }
}

/// <summary>
/// The step that Adam and AdamW share: one pass over all parameters where the engine has it, else in the order of operations of
/// PyTorch's single-tensor one.
/// </summary>
internal static class AdamStep
{
    private static readonly Operator Fused = new("cnnspec::adam_");

    /// <param name="decay">Added to the gradient, times the parameter.</param>
    /// <param name="shrink">What the parameter is multiplied with before.</param>
    public static void Run(
        Tensor[] parameters,
        Tensor[] gradients,
        IAdamState[] states,
        double learningRate,
        IAdamOptions options,
        double decay = 0,
        double shrink = 1
    )
    {
        var (beta1, beta2) = options.Betas;
        var means = Array.ConvertAll(states, state => state.Mean);
        var squares = Array.ConvertAll(states, state => state.Square);
        // Parameters may have been frozen for a while, so each counts its own steps.
        var roots = new double[states.Length];
        var sizes = new double[states.Length];
        for (var i = 0; i < states.Length; i++)
        {
            var step = states[i].Advance();
            roots[i] = Math.Sqrt(1 - Math.Pow(beta2, step));
            sizes[i] = -learningRate / (1 - Math.Pow(beta1, step));
        }
        if (
            !options.Amsgrad
            && Fused
                .CallScalar(
                    parameters,
                    gradients,
                    means,
                    squares,
                    sizes,
                    roots,
                    beta1,
                    beta2,
                    options.Eps,
                    decay,
                    shrink
                )
                .ToBoolean()
        )
            return;

        if (decay != 0)
            gradients = Aten.foreach_add.CallList(gradients, parameters, decay);
        if (shrink != 1)
            Aten.foreach_mul_.Run(parameters, shrink);
        Aten.foreach_mul_.Run(means, beta1);
        Aten.foreach_add_.Run(means, gradients, 1 - beta1);
        Aten.foreach_mul_.Run(squares, beta2);
        Aten.foreach_addcmul_.Run(squares, gradients, gradients, 1 - beta2);
        if (options.Amsgrad)
        {
            for (var i = 0; i < states.Length; i++)
            {
                using var larger = maximum(states[i].LargestSquare, squares[i]);
                states[i].LargestSquare.copy_(larger);
            }
            squares = Array.ConvertAll(states, state => state.LargestSquare);
        }

        var divisors = Aten.foreach_sqrt.CallList((Argument)squares);
        Aten.foreach_divScalars_.Run(divisors, roots);
        Aten.foreach_addScalar_.Run(divisors, options.Eps);
        Aten.foreach_addcdiv_.Run(parameters, means, divisors, sizes);
    }
}
