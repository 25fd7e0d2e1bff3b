using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>The optimizer that a recipe names, over a network's parameters.</summary>
internal sealed class RecipeOptimizer : IDisposable
{
    private readonly OptimizerHelper _optimizer;
    private readonly Parameter[] _parameters;
    private readonly string[] _names;

    public RecipeOptimizer(Recipe recipe, nn.Module network)
    {
        var named = network.named_parameters().ToArray();
        _names = Array.ConvertAll(named, entry => entry.name);
        _parameters = Array.ConvertAll(named, entry => entry.parameter);
        _optimizer = Create(recipe.Optimizer, _parameters);
    }

    /// <summary>Those that are there; a parameter that the loss does not depend on has none.</summary>
    public IEnumerable<Tensor> Gradients => _parameters.Select(parameter => parameter.grad).OfType<Tensor>();

    public void ForgetGradients() => _optimizer.zero_grad();

    /// <summary>One step by the gradients that are there.</summary>
    public void Step(double learningRate)
    {
        foreach (var group in _optimizer.ParamGroups)
            group.LearningRate = learningRate;
        _optimizer.step();
    }

    public IEnumerable<KeyValuePair<string, StoredTensor>> Memory() => OptimizerMemory.Of(_optimizer, _names);

    public void Restore(Dictionary<string, StoredTensor> memory) => OptimizerMemory.Restore(_optimizer, _names, memory);

    private static OptimizerHelper Create(Optimizer recipe, Parameter[] parameters) =>
        recipe switch
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

    public void Dispose() => _optimizer.Dispose();
}
