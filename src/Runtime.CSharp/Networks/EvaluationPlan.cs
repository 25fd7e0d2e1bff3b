using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// The stages of evaluation with weights of their own, worked out from the network's: normalisation folded into convolutions,
/// all in the precision they are used in. They are made when first asked for and again after any change of the network's.
/// </summary>
internal sealed class EvaluationPlan(Planner planner, IKernels kernels) : IDisposable
{
    private readonly Tensor[] _sources = planner.EvaluationWeights();
    private readonly List<IDisposable> _made = [];
    private ExecutionPlan? _ready;
    private long _version;

    public ExecutionPlan Ready()
    {
        long version = _sources.Length == 0 ? 0 : TorchScript.Versions(_sources);
        if (_ready is not null && version == _version)
            return _ready;
        Forget();
        using var withoutGradient = no_grad();
        _version = version;
        return _ready = planner.Evaluation(kernels, _made);
    }

    /// <summary>Gives the memory back. What native loops write to weights changes no version: training forgets.</summary>
    public void Forget()
    {
        _ready = null;
        foreach (var made in _made)
            made.Dispose();
        _made.Clear();
    }

    public void Dispose() => Forget();
}
