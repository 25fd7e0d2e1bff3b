using CnnSpec.Runtime.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>
/// An exponential moving average of a network's parameters: <c>a ← d·a + (1 − d)·p</c> after each step, beginning with
/// the first step's parameters. Buffers, such as running statistics, are not averaged: the network's own go with it. PyTorch's
/// <c>AveragedModel</c> with <c>get_ema_avg_fn</c>; Polyak &amp; Juditsky 1992.
/// </summary>
internal sealed class WeightAverage(nn.Module network, double decay) : IDisposable
{
    private readonly (string Name, Tensor Parameter)[] _parameters =
    [
        .. network.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter)),
    ];
    private Tensor[]? _average;

    public void Update()
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        if (_average is null)
        {
            _average = [.. _parameters.Select(entry => entry.Parameter.detach().clone().DetachFromDisposeScope())];
            return;
        }
        foreach (var (average, (_, parameter)) in _average.Zip(_parameters))
        {
            average.Multiply(decay);
            average.Add(parameter, 1 - decay);
        }
    }

    /// <summary>Lets the network have the average for its parameters until the result is disposed.</summary>
    public IDisposable Lend() => new Loan(this);

    public IEnumerable<KeyValuePair<string, StoredTensor>> State() =>
        _average is null
            ? []
            : _parameters.Zip(_average, (entry, average) => KeyValuePair.Create(entry.Name, StoredTensors.Of(average)));

    /// <exception cref="InputError">It is of another network.</exception>
    public void Restore(Dictionary<string, StoredTensor> state)
    {
        if (state.Count == 0)
            return;
        using var scope = NewDisposeScope();
        _average =
        [
            .. _parameters.Select(entry =>
                state.TryGetValue(entry.Name, out var stored)
                    ? stored.ToTensor().to(entry.Parameter.device).DetachFromDisposeScope()
                    : throw new InputError($"the checkpoint has no average of {entry.Name}", "use another checkpoint")
            ),
        ];
    }

    private sealed class Loan : IDisposable
    {
        private readonly WeightAverage _owner;
        private readonly Tensor[] _own = [];

        public Loan(WeightAverage owner)
        {
            _owner = owner;
            if (owner._average is null)
                return;
            using var withoutGradient = no_grad();
            using var scope = NewDisposeScope();
            _own = [.. owner._parameters.Select(entry => entry.Parameter.detach().clone().DetachFromDisposeScope())];
            foreach (var (average, (_, parameter)) in owner._average.Zip(owner._parameters))
                parameter.copy_(average);
        }

        public void Dispose()
        {
            using var withoutGradient = no_grad();
            foreach (var (own, (_, parameter)) in _own.Zip(_owner._parameters))
            {
                parameter.copy_(own);
                own.Dispose();
            }
        }
    }

    public void Dispose()
    {
        foreach (var average in _average ?? [])
            average.Dispose();
    }
}
