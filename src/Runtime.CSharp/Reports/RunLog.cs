using CnnSpec.Runtime.Reports.TensorBoard;
using CnnSpec.Runtime.Runs;

namespace CnnSpec.Runtime.Reports;

/// <summary>What a run writes down epoch by epoch, for scripts (<c>metrics.jsonl</c>) and for TensorBoard.</summary>
internal sealed class RunLog
{
    private readonly RunFolder _run;
    private readonly EventFile _events;

    /// <param name="epochs">So many epochs are kept: what follows is trained, and written, again.</param>
    /// <param name="samples">A PNG of some images as training sees them; null where they cannot be shown.</param>
    public RunLog(RunFolder run, int epochs, byte[]? samples)
    {
        (_run, _events) = (run, new EventFile(run.Path));
        run.Metrics.Keep(epochs);
        _events.Begin([
            .. RunEvents.Beginning(run.Program, run.Recipe, samples),
            .. run.Epochs.Select(RunEvents.Epoch),
        ]);
    }

    public void Append(EpochMetrics metrics)
    {
        _run.Metrics.Append(metrics);
        _events.Append([RunEvents.Epoch(metrics)]);
    }

    public void End(Evaluation test) => _events.Append(RunEvents.End(test, _run.Epochs.Count));
}
