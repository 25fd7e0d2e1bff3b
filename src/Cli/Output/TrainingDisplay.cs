using System.Diagnostics;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Cli.Output;

/// <summary>Follows a training run on standard error: a line an epoch that stays, and below it the epoch at work.</summary>
public sealed class TrainingDisplay : IDisposable
{
    /// <summary>The live line is drawn at most this often.</summary>
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(100);

    private readonly StatusLine _line = new();
    private readonly Stopwatch _sinceDrawn = Stopwatch.StartNew();
    private readonly Stopwatch _sinceStart = Stopwatch.StartNew();
    private RunPrepared? _run;

    public void Show(TrainingEvent happened)
    {
        switch (happened)
        {
            case RunPrepared run:
                _run = run;
                _sinceStart.Restart();
                foreach (string note in run.Notes)
                    _line.Say($"note: {note}");
                string validation = run.ValidationImages > 0 ? $" + {run.ValidationImages:N0} for validation" : "";
                _line.Say(
                    $"training on {run.TrainingImages:N0} images{validation}, {run.Epochs} epochs of {run.StepsPerEpoch} steps, into {run.Folder}"
                );
                break;
            case StepTaken step when _sinceDrawn.Elapsed > Refresh || step.Step == step.Steps:
                _sinceDrawn.Restart();
                _line.Show(Describe(step));
                break;
            case EpochEnded { Metrics: var m }:
                string held = m.ValidationAccuracy is { } accuracy ? $"  validation {accuracy:0.00%}" : "";
                _line.Say(
                    $"epoch {m.Epoch, 3}  loss {m.TrainLoss:0.0000}  train {m.TrainAccuracy:0.00%}{held}  "
                        + $"lr {m.LearningRate:0.#####}  {m.ImagesPerSecond:N0} images/s  {m.Seconds:0.0} s"
                );
                break;
        }
    }

    private string Describe(StepTaken step)
    {
        double done = (step.Epoch + (double)step.Step / step.Steps) / _run!.Epochs;
        var left = TimeSpan.FromSeconds(_sinceStart.Elapsed.TotalSeconds * (1 - done) / Math.Max(done, 1e-9));
        const int width = 20;
        int filled = width * step.Step / step.Steps;
        string bar = new string('█', filled) + new string('░', width - filled);
        return $"epoch {step.Epoch + 1, 3}  {bar} {step.Step}/{step.Steps}  loss {step.Loss:0.0000}  train {step.Accuracy:0.00%}  "
            + $"{step.ImagesPerSecond:N0} images/s  {Time(left)} left";
    }

    private static string Time(TimeSpan span) =>
        span.TotalHours >= 1 ? $"{(int)span.TotalHours} h {span.Minutes:00} min"
        : span.TotalMinutes >= 1 ? $"{span.Minutes} min {span.Seconds:00} s"
        : $"{span.Seconds} s";

    public void Dispose() => _line.Dispose();
}
