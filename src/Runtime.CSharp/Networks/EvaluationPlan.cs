using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// The stages of evaluation with weights of their own, worked out from the network's: normalisation folded into convolutions,
/// all in the precision they are used in. They are made when first asked for and again after any change of the network's.
/// </summary>
internal sealed class EvaluationPlan(Planner planner, IKernels kernels) : IDisposable
{
    private readonly WeightWatch _weights = new(planner.EvaluationWeights());
    private readonly List<IDisposable> _made = [];
    private ExecutionPlan? _ready;

    /// <param name="areFixed">Nobody has changed the weights since the last time.</param>
    public ExecutionPlan Ready(bool areFixed)
    {
        if (areFixed && _ready is not null)
            return _ready;
        if (_weights.IsUnchanged() && _ready is not null)
            return _ready;
        Forget();
        using var withoutGradient = no_grad();
        return _ready = planner.Evaluation(kernels, _made);
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
}
