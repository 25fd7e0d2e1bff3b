using CnnSpec.Runtime.Reports.TensorBoard;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>What a run writes down epoch by epoch, for scripts (<c>metrics.jsonl</c>) and for TensorBoard.</summary>
internal sealed class RunLog(string run)
{
    private readonly MetricsFile _metrics = new(run);
    private readonly EventFile _events = new(run);

    /// <summary>Keeps the first epochs only: what follows is trained, and written, again.</summary>
    public void Begin(TrainingPlan plan, int epochs)
    {
        _metrics.Keep(epochs);
        // A PNG holds one or three channels; other images are not shown.
        byte[]? samples = plan.Data.Train.Shape.Channels is 1 or 3
            ? new ContactSheet(plan.Data, plan.Recipe, plan.Recipe.Seed, count: 16).ToPng()
            : null;
        _events.Begin([.. RunEvents.Beginning(plan.Program, plan.Recipe, samples), .. Epochs.Select(RunEvents.Epoch)]);
    }

    public IReadOnlyList<EpochMetrics> Epochs => _metrics.Read();

    public void Append(EpochMetrics metrics)
    {
        _metrics.Append(metrics);
        _events.Append([RunEvents.Epoch(metrics)]);
    }

    public void End(Evaluation test) => _events.Append(RunEvents.End(test, Epochs.Count));
}
