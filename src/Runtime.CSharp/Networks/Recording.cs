using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// A network's forward pass in training, kept so that it can be differentiated: stages forward in their order, then backward
/// in the reverse of it. Autograd would make an entry for each stage, and gather what several readers of a value give by
/// passes over memory of their own; here each stage adds it while it writes its own part.
/// </summary>
internal sealed class Recording : IDisposable
{
    private readonly record struct Entry(PlannedStage Stage, Kept Kept, ScalarType?[]? TypesBefore);

    private readonly List<Entry> _entries = [];
    private readonly int[] _wanted;
    private readonly ScalarType[] _types;
    private readonly int _values;
    private readonly bool _ofInput;

    /// <param name="wanted">The values whose gradients come from outside.</param>
    /// <param name="ofInput">Whether the gradient of the input is wanted.</param>
    public Recording(ExecutionPlan plan, Tensor input, int[] wanted, bool withHeads, bool ofInput)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        (_wanted, _values, _ofInput) = (wanted, plan.LastUse.Length, ofInput);
        var values = new Tensor?[_values];
        var differentiable = new bool[_values];
        (values[0], differentiable[0]) = (input.alias(), ofInput);
        try
        {
            for (int i = 0; i < plan.Stages.Length; i++)
            {
                var stage = plan.Stages[i];
                if (stage.TrainingOnly && !withHeads)
                    continue;
                values[stage.Output] = Run(stage, values, differentiable);
                plan.Release(values, stage, i, wanted);
            }
            _types = Array.ConvertAll(wanted, value => values[value]!.dtype);
            Outputs = Array.ConvertAll(
                wanted,
                value => ExecutionPlan.AsFloat32(values[value]!).DetachFromDisposeScope()
            );
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The values that were wanted, float32, without a gradient of their own. The caller disposes them.</summary>
    public Tensor[] Outputs { get; } = [];

    private Tensor Run(PlannedStage stage, Tensor?[] values, bool[] differentiable)
    {
        var wanted = Array.ConvertAll(stage.Inputs, input => differentiable[input]);
        var operands = ExecutionPlan.Operands(stage, values, out bool areCast);
        try
        {
            if (!stage.HasParameters && !wanted.Contains(true))
                return stage.Computation.Run(operands, training: true);
            differentiable[stage.Output] = true;
            var kept = new Kept { Wanted = wanted };
            var before = areCast
                ? Array.ConvertAll(
                    stage.Inputs,
                    input => values[input]!.dtype == stage.Type ? (ScalarType?)null : values[input]!.dtype
                )
                : null;
            _entries.Add(new(stage, kept, before));
            return stage.Computation.Record(operands, kept);
        }
        finally
        {
            if (areCast)
                ExecutionPlan.DisposeCasts(stage, values, operands);
        }
    }

    /// <summary>Takes gradients backward, and gives back what was kept as it goes.</summary>
    /// <param name="outputs">Of <see cref="Outputs"/>, null where one has none.</param>
    /// <param name="giveWeight">Takes a parameter's gradient over.</param>
    /// <returns>The gradient of the input, where it was wanted and depends on it.</returns>
    public Tensor? Backward(IReadOnlyList<Tensor?> outputs, Action<Tensor, Tensor> giveWeight)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        using var gradients = new Gradients(_values, giveWeight);
        for (int i = 0; i < _wanted.Length; i++)
            if (outputs[i] is { } given)
                gradients.Begin(_wanted[i], given.dtype == _types[i] ? given.alias() : given.to(_types[i]));
        for (int i = _entries.Count - 1; i >= 0; i--)
        {
            var (stage, kept, before) = _entries[i];
            using var dy = gradients.Take(stage.Output);
            if (dy is not null)
            {
                gradients.Enter(stage.Inputs, kept.Wanted, before);
                stage.Computation.Backward(dy, kept, gradients);
            }
            kept.Dispose();
        }
        return _ofInput ? gradients.Take(0)?.MoveToOuterDisposeScope() : null;
    }

    /// <summary>Hands over all that is kept, for somebody else to hold; <see cref="Return"/> it before going backward.</summary>
    public List<Tensor> Release()
    {
        List<Tensor> all = [];
        foreach (var (_, kept, _) in _entries)
        {
            all.AddRange(kept.Tensors);
            kept.Count = kept.Tensors.Count;
            kept.Tensors.Clear();
        }
        return all;
    }

    /// <summary>Takes back what was released.</summary>
    public void Return(IReadOnlyList<Tensor> tensors)
    {
        int next = 0;
        foreach (var entry in _entries)
        {
            entry.Kept.Tensors.Clear();
            for (int i = 0; i < entry.Kept.Count; i++)
                entry.Kept.Add(tensors[next++]);
        }
    }

    public void Dispose()
    {
        foreach (var entry in _entries)
            entry.Kept.Dispose();
    }
}
