using CnnSpec.Runtime.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>What an optimizer remembers of each parameter, as named tensors (<c>conv1.weight/exp_avg</c>, in PyTorch's words)
/// and back.</summary>
internal static class OptimizerMemory
{
    /// <param name="Value">Null where there is none yet, as momentum before the first step.</param>
    /// <param name="Replace">Takes over a tensor in its place.</param>
    private sealed record Slot(string Name, Tensor? Value, Action<Tensor> Replace);

    /// <param name="names">Of the parameters, in the optimizer's order.</param>
    public static IEnumerable<KeyValuePair<string, StoredTensor>> Of(OptimizerHelper optimizer, string[] names)
    {
        foreach (var (name, state) in names.Zip(optimizer.state_dict().State))
        {
            using var scope = NewDisposeScope();
            foreach (var slot in Slots(state))
                if (slot.Value is not null)
                    yield return new($"{name}/{slot.Name}", StoredTensors.Of(slot.Value));
        }
    }

    /// <summary>Makes the optimizer remember what <see cref="Of"/> gave, and nothing else.</summary>
    /// <param name="device">Of the parameters.</param>
    /// <exception cref="InputError">It is of another optimizer or network.</exception>
    public static void Restore(
        OptimizerHelper optimizer,
        string[] names,
        Dictionary<string, StoredTensor> stored,
        Device device
    )
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        int taken = 0;
        foreach (var (name, state) in names.Zip(optimizer.state_dict().State))
        foreach (var slot in Slots(state))
        {
            if (!stored.TryGetValue($"{name}/{slot.Name}", out var tensor))
                continue;
            slot.Replace(tensor.ToTensor().to(device).DetachFromDisposeScope());
            taken++;
        }
        if (taken != stored.Count)
            throw new InputError(
                "the checkpoint holds the state of another optimizer than the recipe's",
                "resume with the recipe that the run had"
            );
    }

    private static Slot[] Slots(OptimizerState state)
    {
        switch (state)
        {
            case SGD.State s:
                return [new("momentum_buffer", s.momentum_buffer, value => s.momentum_buffer = value)];
            case Adam.State s:
                return
                [
                    Steps(s.step, value => s.step = value),
                    new("exp_avg", s.exp_avg, value => s.exp_avg = Instead(s.exp_avg, value)),
                    new("exp_avg_sq", s.exp_avg_sq, value => s.exp_avg_sq = Instead(s.exp_avg_sq, value)),
                ];
            case AdamW.State s:
                return
                [
                    Steps(s.step, value => s.step = value),
                    new("exp_avg", s.exp_avg, value => s.exp_avg = Instead(s.exp_avg, value)),
                    new("exp_avg_sq", s.exp_avg_sq, value => s.exp_avg_sq = Instead(s.exp_avg_sq, value)),
                ];
            case RMSProp.State s:
                return
                [
                    Steps(s.step, value => s.step = value),
                    new("square_avg", s.square_avg, value => s.square_avg = Instead(s.square_avg, value)),
                    new("momentum_buffer", s.momentum_buffer, value => s.momentum_buffer = value),
                ];
            default:
                throw new NotSupportedException($"the state of {state.GetType().Name} is not saved");
        }
    }

    private static Slot Steps(long steps, Action<long> set) =>
        new(
            "step",
            tensor(steps),
            value =>
            {
                set(value.item<long>());
                value.Dispose();
            }
        );

    private static Tensor Instead(Tensor old, Tensor value)
    {
        old.Dispose();
        return value;
    }
}
