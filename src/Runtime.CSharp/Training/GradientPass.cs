using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>What is known of a batch after it went forward and backward.</summary>
/// <param name="Loss">Mean over the batch, with the auxiliary heads'.</param>
/// <param name="Correct">Images whose label the head guessed.</param>
/// <param name="AreFinite">Whether the loss and the gradients of the step so far are.</param>
internal readonly record struct BatchFigures(double Loss, long Correct, bool AreFinite);

/// <summary>Captures work of a device without doing it; replaying does it, each time with what is then in the tensors that it
/// reads.</summary>
/// <exception cref="System.Runtime.InteropServices.ExternalException">It cannot be captured, or not now.</exception>
internal delegate (Action Replay, IDisposable Owned) Capture(Action work);

/// <summary>
/// Forward pass, loss and backward pass: adds a batch's part to the gradients of a step. A GPU that can takes all of it as one
/// captured graph after a few batches, which spares the processor hundreds of launches a batch; where it then refuses, or a batch is
/// not like the captured one, as an epoch's last, each operation is launched by itself. The numbers are the same.
/// </summary>
internal sealed class GradientPass : IDisposable
{
    /// <summary>Batches of one kind before the work is captured: libraries set themselves up in the first.</summary>
    internal const int WarmUp = 3;

    private readonly Network _network;
    private readonly Objective _objective;
    private readonly RecipeOptimizer _optimizer;
    private Capture? _capture;
    private Captured? _captured;
    private Kind? _last;
    private int _alike;

    public GradientPass(Network network, Objective objective, RecipeOptimizer optimizer)
        : this(network, objective, optimizer, EngineSetup.Capturing(network.Execution)) { }

    /// <param name="capture">Null where nothing can be captured.</param>
    internal GradientPass(Network network, Objective objective, RecipeOptimizer optimizer, Capture? capture)
    {
        (_network, _objective, _optimizer, _capture) = (network, objective, optimizer, capture);
    }

    /// <summary>Why the device did not take the work as a whole though it should have been able to; null where it did, or cannot.</summary>
    public string? NotCaptured { get; private set; }

    public bool IsCaptured => _captured is not null;

    /// <summary>Begins a step: its gradients are zero.</summary>
    public void Begin()
    {
        // What is captured writes to the same gradients for ever.
        if (_capture is not null)
            _optimizer.ZeroGradients();
        else
            _optimizer.ForgetGradients();
    }

    /// <param name="share">The batch's part of its step.</param>
    public BatchFigures Run(BatchTensors batch, double share = 1)
    {
        using var scope = NewDisposeScope();
        var kind = new Kind(batch.Count, batch.Mixed is not null, share);
        if (_capture is not null && _captured is null && IsTimeToCapture(kind))
            TryToCapture(_capture, batch, kind);
        return Read(_captured?.Replay(batch, kind) ?? Compute(batch, share));
    }

    private Tensor Compute(BatchTensors batch, double share)
    {
        var outputs = _network.ForwardWithHeads(batch.Images);
        var loss = _objective.Loss(outputs, batch);
        (share == 1 ? loss : loss.mul(share)).backward();
        using var withoutGradient = no_grad();
        var correct = outputs[0].argmax(1).eq(batch.Labels).sum().to(ScalarType.Float32);
        return stack([loss.detach(), correct, NumberCheck.Magnitude(_optimizer.Gradients, loss.device)]);
    }

    /// <summary>The one place that waits for the device.</summary>
    private static BatchFigures Read(Tensor figures)
    {
        float[] values = figures.cpu().data<float>().ToArray();
        return new BatchFigures(values[0], (long)values[1], float.IsFinite(values[0]) && float.IsFinite(values[2]));
    }

    private bool IsTimeToCapture(Kind kind)
    {
        _alike = kind == _last ? _alike + 1 : 0;
        _last = kind;
        return _alike >= WarmUp;
    }

    private void TryToCapture(Capture capture, BatchTensors batch, Kind kind)
    {
        try
        {
            _captured = new Captured(capture, batch, kind, Compute);
        }
        catch (System.Runtime.InteropServices.ExternalException e)
        {
            (_capture, NotCaptured) = (null, e.Message);
        }
    }

    public void Dispose() => _captured?.Dispose();

    /// <summary>Batches for which the work is the same but for the values.</summary>
    private readonly record struct Kind(long Images, bool Mixed, double Share);

    /// <summary>The work of batches of one kind, and the memory where it finds a batch and leaves its figures.</summary>
    private sealed class Captured : IDisposable
    {
        private readonly Kind _kind;
        private readonly BatchTensors _batch;
        private readonly Tensor _figures;
        private readonly (Action Replay, IDisposable Owned) _work;

        public Captured(Capture capture, BatchTensors like, Kind kind, Func<BatchTensors, double, Tensor> compute)
        {
            (_kind, _batch) = (kind, like.Kept());
            _figures = zeros(3, device: like.Images.device).DetachFromDisposeScope();
            try
            {
                _work = capture(() =>
                {
                    using var scope = NewDisposeScope();
                    _figures.copy_(compute(_batch, _kind.Share));
                });
            }
            catch
            {
                Release();
                throw;
            }
        }

        /// <returns>The figures, or null where the batch is of another kind.</returns>
        public Tensor? Replay(BatchTensors batch, Kind kind)
        {
            if (kind != _kind)
                return null;
            _batch.Take(batch);
            _work.Replay();
            return _figures;
        }

        public void Dispose()
        {
            _work.Owned.Dispose();
            Release();
        }

        private void Release()
        {
            _figures.Dispose();
            foreach (var tensor in _batch.All)
                tensor.Dispose();
        }
    }
}
