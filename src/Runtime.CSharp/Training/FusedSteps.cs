using CnnSpec.Ir;
using CnnSpec.Kernels;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>
/// Steps of TorchSharp's optimizers in one pass over all parameters: parameters are many and small, so operations one after
/// the other, and one parameter after the other, take far longer to call than to run. What an optimizer remembers stays in
/// its own state, so either way of stepping goes on from the other.
/// </summary>
internal static class FusedSteps
{
    /// <summary>Whether the native loops read these: dense float32 on the CPU.</summary>
    public static bool Takes(IReadOnlyCollection<Tensor> tensors) =>
        !EngineSetup.IsWithoutKernels && tensors.Count > 0 && tensors.All(IsDenseFloat32);

    public static double Magnitude(Tensor[] gradients) =>
        KernelLibrary.Magnitude(
            Array.ConvertAll(
                gradients,
                gradient => new ParameterMemory { Gradient = gradient.Data(), Count = gradient.numel() }
            )
        );

    /// <summary>Makes a step, if it can.</summary>
    /// <returns>False, and nothing is changed, where the optimizer has to make it: it is another, or its first.</returns>
    public static bool Take(
        OptimizerHelper optimizer,
        Optimizer recipe,
        RecipeOptimizer.Group[] groups,
        double learningRate
    )
    {
        if (EngineSetup.IsWithoutKernels || recipe is not (Optimizer.Sgd or Optimizer.Adam or Optimizer.AdamW))
            return false;
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var states = optimizer.state_dict().State;
        var steps = new List<(ParameterMemory[] Parameters, double Decay)>();
        var advance = new List<Action>();
        int next = 0;
        foreach (var group in groups)
        {
            var taken = new List<ParameterMemory>();
            foreach (var parameter in group.Parameters)
            {
                var state = states[next++];
                if (parameter.grad is not { } gradient)
                    continue;
                if (!IsDenseFloat32(parameter) || !IsDenseFloat32(gradient))
                    return false;
                var memory = new ParameterMemory
                {
                    Value = parameter.Data(),
                    Gradient = gradient.Data(),
                    Count = parameter.numel(),
                };
                if (!Remembers(state, recipe, learningRate, ref memory, advance))
                    return false;
                taken.Add(memory);
            }
            steps.Add(([.. taken], group.Decay(DecayOf(recipe))));
        }
        foreach (var count in advance)
            count();
        foreach (var (parameters, decay) in steps)
            Step(recipe, parameters, learningRate, decay);
        return true;
    }

    private static double DecayOf(Optimizer recipe) =>
        recipe switch
        {
            Optimizer.Sgd o => o.weightDecay,
            Optimizer.Adam o => o.weightDecay,
            Optimizer.AdamW o => o.weightDecay,
            _ => 0,
        };

    /// <summary>Adds what the optimizer remembers of a parameter.</summary>
    /// <returns>False where it remembers nothing yet.</returns>
    private static bool Remembers(
        OptimizerState state,
        Optimizer recipe,
        double learningRate,
        ref ParameterMemory memory,
        List<Action> advance
    )
    {
        switch (state, recipe)
        {
            case (SGD.State s, Optimizer.Sgd o):
                if (o.momentum == 0)
                    return true;
                if (s.momentum_buffer is not { } momentum || !IsDenseFloat32(momentum))
                    return false;
                memory.First = momentum.Data();
                return true;
            case (Adam.State s, Optimizer.Adam o):
                advance.Add(() => s.step++);
                return Moments(ref memory, s.exp_avg, s.exp_avg_sq, s.step + 1, o.beta1, o.beta2, learningRate);
            case (AdamW.State s, Optimizer.AdamW o):
                advance.Add(() => s.step++);
                return Moments(ref memory, s.exp_avg, s.exp_avg_sq, s.step + 1, o.beta1, o.beta2, learningRate);
            default:
                return false;
        }
    }

    private static bool Moments(
        ref ParameterMemory memory,
        Tensor mean,
        Tensor square,
        long step,
        double beta1,
        double beta2,
        double learningRate
    )
    {
        if (!IsDenseFloat32(mean) || !IsDenseFloat32(square))
            return false;
        (memory.First, memory.Second) = (mean.Data(), square.Data());
        memory.Size = (float)(-learningRate / (1 - Math.Pow(beta1, step)));
        memory.Root = (float)Math.Sqrt(1 - Math.Pow(beta2, step));
        return true;
    }

    private static void Step(Optimizer recipe, ParameterMemory[] parameters, double learningRate, double decay)
    {
        switch (recipe)
        {
            case Optimizer.Sgd o:
                KernelLibrary.Sgd(parameters, learningRate, o.momentum, o.dampening, decay, o.nesterov);
                break;
            case Optimizer.Adam o:
                KernelLibrary.Adam(parameters, o.beta1, o.beta2, o.epsilon, decay, shrink: 1);
                break;
            case Optimizer.AdamW o:
                // Decay that is decoupled from the gradient: Loshchilov & Hutter 2019, arXiv:1711.05101.
                KernelLibrary.Adam(parameters, o.beta1, o.beta2, o.epsilon, decay: 0, 1 - learningRate * decay);
                break;
        }
    }

    private static bool IsDenseFloat32(Tensor tensor) =>
        tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && tensor.is_contiguous();
}
