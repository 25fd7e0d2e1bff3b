using CnnSpec.Ir;
using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// The stages of evaluation with weights of their own, worked out from the network's: normalisation folded into convolutions,
/// all in the precision they are used in. They are made when first asked for and again after any change of the network's.
/// </summary>
internal sealed class EvaluationSchedule(Network.Schedule schedule, Precision precision) : IDisposable
{
    private readonly Tensor[] _sources = [.. schedule.Stages.SelectMany(stage => stage.Weights)];
    private readonly List<IDisposable> _made = [];
    private Network.Schedule? _ready;
    private long _version;

    /// <summary>Null where the engine cannot tell whether weights have changed.</summary>
    public Network.Schedule? Ready()
    {
        if (EngineSetup.Versions(_sources) is not { } version)
            return null;
        if (_ready is null || version != _version)
        {
            Forget();
            _ready = schedule with { Stages = Array.ConvertAll(schedule.Stages, Made) };
            _version = version;
        }
        return _ready;
    }

    /// <summary>Gives the memory back.</summary>
    public void Forget()
    {
        _ready = null;
        foreach (var made in _made)
            made.Dispose();
        _made.Clear();
    }

    public void Dispose() => Forget();

    private Network.Stage Made(Network.Stage stage)
    {
        if (stage.Weights.Length == 0)
            return stage;
        using var scope = NewDisposeScope();
        var weights = FoldedWeights.Of(stage.Kernel, stage.Weights);
        if (Prepared(stage, weights) is { } convolution)
        {
            _made.Add(convolution.Owned);
            return stage with { Run = convolution.Run, Weights = [] };
        }
        if (precision == Precision.BFloat16 && stage.ShortFloats.Weights)
            weights = Array.ConvertAll(weights, weight => weight.to(ScalarType.BFloat16));
        else if (ReferenceEquals(weights, stage.Weights))
            return stage;
        // Beside channels-last maps, so that a call need not turn them.
        weights = Array.ConvertAll(weights, weight => EngineSetup.ChannelsLast(weight).DetachFromDisposeScope());
        _made.AddRange(weights);
        return stage with { Weights = weights };
    }

    private (Operation Run, IDisposable Owned)? Prepared(Network.Stage stage, Tensor[] weights)
    {
        var type = stage.TypeIn(precision);
        return stage.Kernel switch
        {
            Kernel.Single { Item: Op.Conv conv } => EngineSetup.Prepare(conv.Item, weights, type, false, false),
            Kernel.Convolve k => EngineSetup.Prepare(k.Item1, weights, type, k.sum, k.relu),
            _ => null,
        };
    }
}
