using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Training;
using static TorchSharp.torch;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec eval</c>: a trained network on test images.</summary>
public static class EvalCommand
{
    private const int MostConfusions = 5;
    private const int TopFive = 5;

    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "The folder of a run" };
        var data = new Option<string?>("--data")
        {
            Description = "Test on other images than the run's own test set",
            HelpName = "name|folder",
        };
        var weights = new Option<string>("--weights")
        {
            Description = "best, last, or last-average where the recipe has ema",
            DefaultValueFactory = _ => "best",
        };
        weights.AcceptOnlyFromAmong("best", "last", "last-average");
        var device = DeviceOption.Create();
        var format = OutputFormat.Option();
        var command = new Command(
            "eval",
            """
            Test a trained network: top-1, top-5, each class.

            Examples:
              cnnspec eval runs/lenet5
              cnnspec eval runs/lenet5 --format json
              cnnspec eval runs/mine --data more-photos/
            """
        );
        command.Arguments.Add(run);
        command.Options.Add(data);
        command.Options.Add(weights);
        command.Options.Add(device);
        command.Options.Add(format);
        command.SetAction(result =>
            Run(
                result.GetValue(run)!,
                result.GetValue(data),
                result.GetValue(weights)!,
                DeviceOption.Read(result, device),
                result.GetValue(format) == "json"
            )
        );
        return command;
    }

    private static int Run(string path, string? dataName, string weights, Device device, bool json)
    {
        var run = RunFolder.Open(path);
        using var interruption = new Interruption();
        using var predictor = Predictor.FromRun(run, new Execution(run.Precision) { Device = device }, weights);
        var (images, notes) = TestImages(run, dataName, interruption.Token);
        foreach (string note in notes)
            Terminal.Note($"note: {note}");
        var evaluation = Evaluator.Evaluate(
            predictor.Network,
            Evaluator.Batches(images, run.Scaling),
            interruption.Token
        );

        if (json)
            Terminal.Result(ToJson(evaluation, run.ClassNames).ToJsonString(OutputFormat.Indented));
        else
            Print(evaluation, run.ClassNames);
        return ExitCode.Fine;
    }

    /// <summary>The run's own test images, or others, whose classes are found by name.</summary>
    private static (IImageSource Images, IReadOnlyList<string> Notes) TestImages(
        RunFolder run,
        string? name,
        CancellationToken stop
    )
    {
        long[] input = [.. run.Program.Input];
        var source = name is null ? null : DataAccess.Named(name, new FolderOptions { AllowEmptyClasses = true });
        // In the folder that the network was trained on, most images have been seen.
        if (source is null || DataSources.AreSame(source, run.Data))
        {
            var own = DataAccess.Open(run.Data, input, run.Seed, stop, run.FolderOptions);
            if (!run.BeganWith(own))
                Terminal.Warning(
                    $"the images of {own.Name} have changed since the run began: among those that test may be some that it was trained on"
                );
            return (own.Test, own.Notes);
        }
        return DataSources.OpenTest(
            source,
            input,
            run.ClassNames,
            run.Seed,
            missing => DataAccess.Fetch(missing, stop),
            stop
        );
    }

    private static void Print(Evaluation evaluation, IReadOnlyList<string> classes)
    {
        for (int i = 0; i < classes.Count; i++)
        {
            int total = evaluation.Confusion.ImagesOf(i);
            string share = total == 0 ? "no images" : $"{(double)evaluation.Confusion[i, i] / total:0.00%} of {total}";
            Terminal.Result($"{classes[i], -12} {share}");
        }
        foreach (var (label, guess, count) in evaluation.Confusion.Mistakes.Take(MostConfusions))
            Terminal.Result($"{count, 4} x {classes[label]} predicted as {Name(guess, classes)}");
        Terminal.Result($"test loss: {evaluation.Loss.ToString("0.0000", CultureInfo.InvariantCulture)}");
        // Of five classes or fewer, the right one is always among five guesses.
        if (classes.Count > TopFive)
            Terminal.Result(
                $"top-5 accuracy: {evaluation.Top5Accuracy.ToString("0.0000", CultureInfo.InvariantCulture)}"
            );
        Terminal.Result($"test accuracy: {evaluation.Accuracy.ToString("0.0000", CultureInfo.InvariantCulture)}");
    }

    private static JsonObject ToJson(Evaluation evaluation, IReadOnlyList<string> classes) =>
        new()
        {
            ["images"] = evaluation.Images,
            ["loss"] = evaluation.Loss,
            ["accuracy"] = evaluation.Accuracy,
            ["top5_accuracy"] = evaluation.Top5Accuracy,
            ["classes"] = new JsonArray([.. classes.Select(name => (JsonNode)name)]),
            ["confusion"] = new JsonArray([
                .. evaluation.Confusion.Pairs.Select(pair =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["class"] = classes[pair.Label],
                            ["predicted"] = Name(pair.Guess, classes),
                            ["images"] = pair.Images,
                        }
                ),
            ]),
        };

    /// <summary>A head may be wider than there are classes.</summary>
    private static string Name(int output, IReadOnlyList<string> classes) =>
        output < classes.Count ? classes[output] : $"output {output}";
}
