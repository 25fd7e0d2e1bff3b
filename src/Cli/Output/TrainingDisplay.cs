using CnnSpec.Runtime.Training;
using Spectre.Console;

namespace CnnSpec.Cli.Output;

/// <summary>Follows a training run on standard error: a line an epoch that stays and, on a terminal, a bar with rate and
/// time left below.</summary>
public static class TrainingDisplay
{
    private const int MostListed = 8;

    public static T Follow<T>(Func<Action<TrainingEvent>, T> work)
    {
        if (!Terminal.IsLive)
            return work(Say);
        return Terminal
            .Errors.Progress()
            .AutoClear(true)
            .Columns(
                new ProgressBarColumn(),
                new PercentageColumn(),
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new RemainingTimeColumn()
            )
            .Start(context =>
            {
                var task = context.AddTask("preparing");
                int epochs = 1;
                return work(happened =>
                {
                    Say(happened);
                    switch (happened)
                    {
                        case RunPrepared run:
                            epochs = run.Epochs;
                            task.MaxValue = (double)run.Epochs * run.StepsPerEpoch;
                            break;
                        case StepTaken step:
                            task.Value = (double)step.Epoch * step.Steps + step.Step;
                            task.Description = Describe(step, epochs);
                            break;
                    }
                });
            });
    }

    /// <summary>What stays on the screen.</summary>
    private static void Say(TrainingEvent happened)
    {
        switch (happened)
        {
            case WeightsAdopted(var path, var match):
                Terminal.Note($"{path}: {match.Matched.Count} weights matched");
                List("begin anew, for the file lacks them", match.Missing);
                List("begin anew, for their shapes differ", match.OtherShape);
                List("of the file are not in the network", match.Unexpected);
                Terminal.WarnOfNumbers(path, match.NotFinite);
                break;
            case PreflightDone look:
                if (look.IsOff)
                    Terminal.Warning(
                        $"the loss of the untrained network is {look.Loss:0.00}, and guessing gives {look.Guessing:0.00} "
                            + "(ln of the number of classes): look at its first weights (init) and the scaling of pixels (normalize)"
                    );
                if (look.WithoutGradient.Count > 0)
                    Terminal.Warning(
                        $"{look.WithoutGradient.Count} of {look.Parameters} parameters get no gradient, and will not learn: "
                            + Listed(look.WithoutGradient)
                    );
                if (look.ZeroGradient.Count > 0)
                    Terminal.Note(
                        $"note: {look.ZeroGradient.Count} of {look.Parameters} parameters have a gradient of zero in the first "
                            + $"batch, as behind a factor that begins at zero or a dead relu: {Listed(look.ZeroGradient)}"
                    );
                break;
            case BatchLook look:
                Terminal.Note($"step {look.Step, 5}  loss {look.Loss:0.0000}  {look.Right} of {look.Images} right");
                break;
            case RunPrepared run:
                foreach (string note in run.Notes)
                    Terminal.Note($"note: {note}");
                string validation = run.ValidationImages > 0 ? $" + {run.ValidationImages:N0} for validation" : "";
                Terminal.Note(
                    $"training on {Wording.Counted(run.TrainingImages, "image")}{validation}, {Wording.Counted(run.Epochs, "epoch")} of {Wording.Counted(run.StepsPerEpoch, "step")}, into {run.Folder}"
                );
                if (run.ResumedAt is var (epochs, steps))
                    Terminal.Note($"going on {Place(epochs, steps)}");
                break;
            case EndedEarly end:
                Terminal.Note(
                    $"stopped early after epoch {end.Epochs}: no better validation accuracy in {end.Patience} epochs"
                );
                break;
            case RunStopped at:
                Terminal.Note($"stopped {Place(at.Epoch, at.Batch)} of {at.Epochs}, and saved");
                Terminal.Note($"go on with:  cnnspec train --resume {Shell.Word(at.Folder)}");
                Terminal.Note($"or try it:   cnnspec eval {Shell.Word(at.Folder)} --weights last");
                break;
            case EpochEnded { Metrics: var m }:
                string held = m.ValidationAccuracy is { } accuracy ? $"  validation {accuracy:0.00%}" : "";
                Terminal.Note(
                    $"epoch {m.Epoch, 3}  loss {m.TrainLoss:0.0000}  train {m.TrainAccuracy:0.00%}{held}  "
                        + $"lr {m.LearningRate:G4}  {m.ImagesPerSecond:N0} images/s  {m.Seconds:0.0} s"
                );
                break;
        }
    }

    private static void List(string what, List<string> names)
    {
        if (names.Count == 0)
            return;
        Terminal.Note($"  {names.Count} {what}:");
        foreach (string name in names.Take(MostListed))
            Terminal.Note($"    {name}");
        if (names.Count > MostListed)
            Terminal.Note($"    and {names.Count - MostListed} more");
    }

    private static string Listed(IReadOnlyList<string> names) => Wording.Listed(names, MostListed);

    /// <summary>Where a run was left: so many whole epochs, and so many steps of the next.</summary>
    private static string Place(int epochs, int steps) =>
        (epochs, steps) switch
        {
            (0, 0) => "at the beginning",
            (_, 0) => $"after epoch {epochs}",
            _ => $"after step {steps} of epoch {epochs + 1}",
        };

    private static string Describe(StepTaken step, int epochs) =>
        $"epoch {step.Epoch + 1}/{epochs}  loss {step.Loss:0.0000}  train {step.Accuracy:0.00%}  {step.ImagesPerSecond:N0} images/s";
}
