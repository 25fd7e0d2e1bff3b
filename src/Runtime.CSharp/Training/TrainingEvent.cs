using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Runs;

namespace CnnSpec.Runtime.Training;

/// <summary>What a training run tells while it works; the command line draws it.</summary>
public abstract record TrainingEvent;

/// <summary>Training begins from the weights of a file.</summary>
public sealed record WeightsAdopted(string Path, WeightMatch Match) : TrainingEvent;

/// <summary>Everything is ready; the first step comes next.</summary>
/// <param name="Notes">What a reader of the results must know of the data and the machine.</param>
/// <param name="ResumedAt">Whole epochs and batches of the next that were trained before; null for a new run.</param>
public sealed record RunPrepared(
    string Folder,
    int TrainingImages,
    int ValidationImages,
    int TestImages,
    int Epochs,
    int StepsPerEpoch,
    IReadOnlyList<string> Notes,
    (int Epochs, int Batches)? ResumedAt
) : TrainingEvent;

/// <summary>A look at the untrained network.</summary>
/// <param name="Loss">Cross-entropy of the first images.</param>
/// <param name="Guessing">That of guessing: ln of the number of classes.</param>
/// <param name="IsOff">Whether the loss is far from guessing's.</param>
/// <param name="WithoutGradient">Parameters that the loss does not depend on.</param>
/// <param name="ZeroGradient">Parameters whose gradient is zero throughout.</param>
public sealed record PreflightDone(
    double Loss,
    double Guessing,
    bool IsOff,
    int Parameters,
    IReadOnlyList<string> WithoutGradient,
    IReadOnlyList<string> ZeroGradient
) : TrainingEvent;

/// <summary>How well one batch is known after so many steps on it.</summary>
public sealed record BatchLook(int Step, double Loss, int Right, int Images, int Classes) : TrainingEvent;

/// <summary>A step was taken. Loss and accuracy are those of the epoch so far.</summary>
public sealed record StepTaken(int Epoch, int Step, int Steps, double Loss, double Accuracy, double ImagesPerSecond)
    : TrainingEvent
{
    internal static StepTaken From(Progress p, int steps) =>
        new(p.Epoch, p.Batch, steps, p.Loss, p.Accuracy, p.Seen / p.Seconds);
}

/// <summary>An epoch ended.</summary>
public sealed record EpochEnded(EpochMetrics Metrics) : TrainingEvent;

/// <summary>Training ended before its last epoch: so many in a row brought no better validation accuracy.</summary>
public sealed record EndedEarly(int Epochs, int Patience) : TrainingEvent;

/// <summary>The run was stopped and saved: after so many whole epochs and batches of the next.</summary>
public sealed record RunStopped(string Folder, int Epoch, int Epochs, int Batch, int Batches) : TrainingEvent;
