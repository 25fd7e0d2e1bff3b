using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>What the optimizers share: groups, states, and a step over all parameters of a group at once.</summary>
public abstract class OptimizerHelper : optim.Optimizer
{
    private readonly Dictionary<Parameter, OptimizerState> _states = new(ReferenceEqualityComparer.Instance);

    protected OptimizerOptions _defaults = new();

    /// <summary>A state as before the first step.</summary>
    private protected abstract OptimizerState NewState(Parameter parameter, OptimizerOptions options);

    /// <summary>Options of this optimizer's kind, everything unset.</summary>
    private protected abstract OptimizerOptions NewOptions();

    /// <summary>Fills in what the group leaves open.</summary>
    private protected abstract void Complete(OptimizerOptions options);

    public override void add_param_group(ParamGroup param_group)
    {
        // A group made as `new ParamGroup()` has options of no kind.
        if (param_group.Options.GetType() != NewOptions().GetType())
        {
            var options = NewOptions();
            options.LearningRate = param_group.Options.LearningRate;
            param_group.Options = options;
        }
        param_group.Options.LearningRate ??= _defaults.LearningRate;
        param_group.Options.InitialLearningRate = param_group.Options.LearningRate!.Value;
        Complete(param_group.Options);
        // Walked at every step, and maybe a query: fixed once.
        param_group.Parameters = [.. param_group.Parameters];
        foreach (var parameter in param_group.Parameters)
        {
            if (!_states.TryAdd(parameter, NewState(parameter, param_group.Options)))
                throw new ArgumentException("A parameter is in two groups, or twice in one.", nameof(param_group));
        }
        base.add_param_group(param_group);
    }

    private protected void AddGroups(IEnumerable<ParamGroup> groups)
    {
        foreach (var group in groups)
            add_param_group(group);
    }

    /// <summary>Runs the closure with gradients, then the body for each group without.</summary>
    protected Tensor? _step<T>(Action<T> body, Func<Tensor>? loss_closure = null)
        where T : ParamGroup
    {
        Tensor? loss = null;
        if (loss_closure is not null)
        {
            using var recording = enable_grad();
            loss = loss_closure();
        }
        using var silence = no_grad();
        foreach (var group in _parameter_groups)
        {
            // The step's intermediate tensors go; the states' own tensors were detached from every scope.
            using var scope = NewDisposeScope();
            body((T)group);
        }
        return loss;
    }

    /// <summary>The parameters of a group that have gradients, with those and their states, side by side.</summary>
    private protected (Tensor[] parameters, Tensor[] gradients, TState[] states) Gather<TState>(ParamGroup group)
        where TState : OptimizerState
    {
        var parameters = new List<Tensor>();
        var gradients = new List<Tensor>();
        var states = new List<TState>();
        foreach (var parameter in group.Parameters)
        {
            if (parameter.grad is not { } gradient)
                continue;
            parameters.Add(parameter);
            gradients.Add(gradient);
            states.Add((TState)_states[parameter]);
        }
        return ([.. parameters], [.. gradients], [.. states]);
    }

    /// <summary>The state itself, not a copy: read it before the next step.</summary>
    public virtual StateDictionary state_dict()
    {
        var dictionary = new StateDictionary();
        foreach (var group in _parameter_groups)
        {
            dictionary.Options.Add(group.Options);
            var positions = new List<int>();
            foreach (var parameter in group.Parameters)
            {
                positions.Add(dictionary.State.Count);
                dictionary.State.Add(_states[parameter]);
            }
            dictionary.StateIndexRef.Add(positions);
        }
        return dictionary;
    }

    /// <summary>Takes over the options and a copy of the state of an optimizer of the same kind and groups.</summary>
    public virtual void load_state_dict(StateDictionary state_dict)
    {
        var own = this.state_dict();
        if (own.Options.Count != state_dict.Options.Count || own.State.Count != state_dict.State.Count)
            throw new ArgumentException(
                $"The state is of {state_dict.Options.Count} groups and {state_dict.State.Count} parameters; "
                    + $"this optimizer has {own.Options.Count} and {own.State.Count}.",
                nameof(state_dict)
            );
        foreach (var (mine, theirs) in own.Options.Zip(state_dict.Options))
            mine.LoadStateDict(theirs);
        foreach (var (mine, theirs) in own.State.Zip(state_dict.State))
            mine.LoadStateDict(theirs);
    }

    public void to(Device device)
    {
        foreach (var state in _states.Values)
            state.to(device);
    }

    private protected void DisposeStates()
    {
        foreach (var tensor in _states.Values.SelectMany(state => state.Tensors))
            tensor?.Dispose();
    }

    /// <summary>Zeros like the parameter, which live as long as the optimizer.</summary>
    internal static Tensor Zeros(Parameter parameter)
    {
        using var silence = no_grad();
        return zeros_like(parameter).DetachFromDisposeScope();
    }

    /// <summary>A copy that lives as long as the optimizer; the value that it replaces is disposed.</summary>
    internal static Tensor? Replace(Tensor? old, Tensor? value)
    {
        using var silence = no_grad();
        var copy = value?.detach().DetachFromDisposeScope();
        using (copy)
        {
            old?.Dispose();
            return copy?.clone().DetachFromDisposeScope();
        }
    }

    /// <summary>The tensor on a device, in place of the old one.</summary>
    internal static void Move(ref Tensor? tensor, Device device)
    {
        if (tensor is null)
            return;
        var moved = tensor.to(device).DetachFromDisposeScope();
        tensor.Dispose();
        tensor = moved;
    }
}
