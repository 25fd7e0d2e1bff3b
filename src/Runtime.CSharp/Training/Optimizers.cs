using CnnSpec.Ir;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>The optimizers that a recipe can name.</summary>
internal static class Optimizers
{
    public static optim.Optimizer Create(Optimizer recipe, nn.Module network)
    {
        var parameters = network.parameters();
        return recipe switch
        {
            Optimizer.Sgd o => optim.SGD(
                parameters,
                o.learningRate,
                o.momentum,
                o.dampening,
                o.weightDecay,
                o.nesterov
            ),
            Optimizer.Adam o => optim.Adam(parameters, o.learningRate, o.beta1, o.beta2, o.epsilon, o.weightDecay),
            Optimizer.AdamW o => optim.AdamW(parameters, o.learningRate, o.beta1, o.beta2, o.epsilon, o.weightDecay),
            Optimizer.RmsProp o => optim.RMSProp(
                parameters,
                o.learningRate,
                o.alpha,
                o.epsilon,
                o.weightDecay,
                o.momentum
            ),
            _ => throw new NotSupportedException($"the runtime has no optimizer {recipe}"),
        };
    }

    /// <summary>Sets the learning rate of the next step.</summary>
    public static void SetRate(this optim.Optimizer optimizer, double rate)
    {
        foreach (var group in optimizer.ParamGroups)
            group.LearningRate = rate;
    }
}
