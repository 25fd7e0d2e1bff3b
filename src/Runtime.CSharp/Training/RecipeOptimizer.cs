using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>The optimizer that a recipe names, over a network's parameters, and what the recipe does to gradients before it.</summary>
internal sealed class RecipeOptimizer : IDisposable
{
    /// <summary>Parameters that share a weight decay.</summary>
    internal sealed record Group(Parameter[] Parameters, bool Decays)
    {
        public double Decay(double recipe) => Decays ? recipe : 0;
    }

    private readonly Clipping _clipping;
    private readonly Optimizer _recipe;
    private readonly Group[] _groups;
    private readonly OptimizerHelper _optimizer;
    private readonly Parameter[] _parameters;
    private readonly string[] _names;

    public RecipeOptimizer(Recipe recipe, nn.Module network)
    {
        _clipping = recipe.Clipping;
        var groups = network
            .named_parameters()
            .GroupBy(entry => !recipe.DecayWeightsOnly || entry.parameter.dim() > 1)
            .OrderByDescending(group => group.Key)
            .ToArray();
        _names = [.. groups.SelectMany(group => group.Select(entry => entry.name))];
        _parameters = [.. groups.SelectMany(group => group.Select(entry => entry.parameter))];
        _recipe = recipe.Optimizer;
        _groups = Array.ConvertAll(groups, group => new Group([.. group.Select(entry => entry.parameter)], group.Key));
        _optimizer = Create(recipe.Optimizer, _groups);
    }

    /// <summary>Those that are there; a parameter that the loss does not depend on has none. They belong to the scope that is
    /// open.</summary>
    private IEnumerable<Tensor> Gradients => _parameters.Select(parameter => parameter.grad).OfType<Tensor>();

    public void ForgetGradients()
    {
        foreach (var parameter in _parameters)
            parameter.grad = null;
    }

    public void ScaleGradients(double factor)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        foreach (var gradient in Gradients)
            gradient.mul_(factor);
    }

    /// <summary><see cref="NumberCheck.Magnitude"/> of the gradients that are there.</summary>
    public Tensor Magnitude(Device device)
    {
        using var scope = NewDisposeScope();
        return NumberCheck.Magnitude(Gradients, device).MoveToOuterDisposeScope();
    }

    /// <summary>Clips the gradients that are there, and makes one step by them.</summary>
    public void Step(double learningRate)
    {
        if (_clipping is Clipping.ByNorm norm)
            nn.utils.clip_grad_norm_(_parameters, norm.Item);
        if (_clipping is Clipping.ByValue value)
            nn.utils.clip_grad_value_(_parameters, value.Item);
        foreach (var group in _optimizer.ParamGroups)
            group.LearningRate = learningRate;
        if (!FusedSteps.Take(_optimizer, _recipe, _groups, learningRate))
            _optimizer.step();
    }

    public IEnumerable<KeyValuePair<string, StoredTensor>> Memory() => OptimizerMemory.Of(_optimizer, _names);

    public void Restore(Dictionary<string, StoredTensor> memory) =>
        OptimizerMemory.Restore(_optimizer, _names, memory, _parameters[0].device);

    private static OptimizerHelper Create(Optimizer recipe, Group[] groups) =>
        recipe switch
        {
            Optimizer.Sgd o => optim.SGD(
                groups.Select(group => new SGD.ParamGroup(
                    group.Parameters,
                    o.learningRate,
                    o.momentum,
                    o.dampening,
                    group.Decay(o.weightDecay),
                    o.nesterov
                )),
                o.learningRate,
                o.momentum,
                o.dampening,
                o.weightDecay,
                o.nesterov
            ),
            Optimizer.Adam o => optim.Adam(
                groups.Select(group => new Adam.ParamGroup(
                    group.Parameters,
                    o.learningRate,
                    o.beta1,
                    o.beta2,
                    o.epsilon,
                    group.Decay(o.weightDecay)
                )),
                o.learningRate,
                o.beta1,
                o.beta2,
                o.epsilon,
                o.weightDecay
            ),
            Optimizer.AdamW o => optim.AdamW(
                groups.Select(group => new AdamW.ParamGroup(
                    group.Parameters,
                    o.learningRate,
                    o.beta1,
                    o.beta2,
                    o.epsilon,
                    group.Decay(o.weightDecay)
                )),
                o.learningRate,
                o.beta1,
                o.beta2,
                o.epsilon,
                o.weightDecay
            ),
            Optimizer.RmsProp o => optim.RMSProp(
                groups.Select(group => new RMSProp.ParamGroup(
                    group.Parameters,
                    o.learningRate,
                    o.epsilon,
                    o.alpha,
                    group.Decay(o.weightDecay),
                    o.momentum
                )),
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
