using System.CommandLine;
using System.Text.Json.Nodes;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Elaborate;
using CnnSpec.Operators;
using CnnSpec.Runtime;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Training;
using CnnSpec.Text;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec predict</c>: classes of images, or logits of an array.</summary>
public sealed class PredictCommand
{
    /// <summary>A longer name does not push all guesses off the screen.</summary>
    private const int WidestName = 60;

    private readonly Argument<string> _network = new("network")
    {
        Description = "The folder of a run, or a spec with --weights",
    };
    private readonly Argument<string[]> _images = new("images")
    {
        Description = "Images (PNG, JPEG, WebP, BMP, GIF), or folders of them",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<string?> _weights = new("--weights")
    {
        Description = "For a spec: safetensors, .npz, a PyTorch state dict; of a run: best, last or last-average",
        HelpName = "file",
    };
    private readonly SpecOptions _spec = new();
    private readonly Option<string?> _normalize = new("--normalize")
    {
        Description =
            "How a spec's weights expect pixels, as in --normalize 'imagenet()' or 'by_channel(mean=0.13, std=0.31)'; as its recipe says if unsaid",
        HelpName = "scaling",
    };
    private readonly Option<string?> _input = new("--input")
    {
        Description = "An array [N, …] of float32 instead of images",
        HelpName = "x.npy",
    };
    private readonly Option<string?> _output = new("--output")
    {
        Description = "Where the logits of --input go",
        HelpName = "y.npy",
    };
    private readonly Option<int?> _top = NumberOption.Create<int?>(
        "--top",
        "How many guesses for each image; 3 if unsaid"
    );
    private readonly Option<string> _device = DeviceOption.Create();
    private readonly Option<string> _format = OutputFormat.Option();

    public static Command Create()
    {
        var self = new PredictCommand();
        var command = new Command(
            "predict",
            """
            Classify images, or compute raw logits of an array.

            Examples:
              cnnspec predict runs/lenet5 seven.png
              cnnspec predict runs/lenet5 photos/ --format json
              cnnspec predict specs/imagenet/resnet18.cnn --weights resnet18.pth --normalize 'imagenet()' cat.jpg
              cnnspec predict specs/mnist/lenet5.cnn --weights w.safetensors --input x.npy --output y.npy
            """
        );
        command.Arguments.Add(self._network);
        command.Arguments.Add(self._images);
        foreach (
            var option in new Option[]
            {
                self._weights,
                self._spec.Set,
                self._normalize,
                self._input,
                self._output,
                self._top,
                self._device,
                self._format,
            }
        )
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(self._weights) is null)
                foreach (var option in new Option[] { self._spec.Set, self._normalize })
                    if (result.GetResult(option) is { Implicit: false })
                        result.AddError($"{option.Name} goes with --weights: a run is as it was trained");
            if (result.GetValue(self._normalize) is not null && result.GetValue(self._input) is not null)
                result.AddError("--normalize is for images: an array of --input is taken as it is");
            bool array = result.GetValue(self._input) is not null;
            bool images = result.GetValue(self._images) is { Length: > 0 };
            if (array == images)
                result.AddError("name images, or an array with --input");
            if (array != result.GetValue(self._output) is not null)
                result.AddError("--input and --output go together");
        });
        command.SetAction(self.Run);
        return command;
    }

    private int Run(ParseResult arguments)
    {
        if (Open(arguments) is not { } predictor)
            return ExitCode.WrongInput;
        using var owned = predictor;
        if (arguments.GetValue(_input) is { } input)
        {
            var (shape, values) = NpyFile.Read(input);
            var (outputShape, logits) = predictor.Logits(shape, values);
            NpyFile.Write(arguments.GetValue(_output)!, outputShape, logits);
            Terminal.Result($"{arguments.GetValue(_output)}: logits [{string.Join(", ", outputShape)}]");
            return ExitCode.Fine;
        }

        bool failed = false;
        var images = new List<string>();
        foreach (string path in arguments.GetValue(_images)!)
        {
            string[] found = Expand(path);
            if (found.Length == 0)
            {
                Terminal.Error($"{path} has no images in it", "name image files, or a folder of them");
                failed = true;
            }
            images.AddRange(found);
        }
        bool json = arguments.GetValue(_format) == "json";
        int column = images.Count == 0 ? 0 : Math.Min(WidestName, images.Max(image => image.Length));
        var report = new JsonArray();
        foreach (string image in images)
        {
            try
            {
                var guesses = predictor.Classify(image, arguments.GetValue(_top) ?? 3);
                if (json)
                    report.Add(ToJson(image, guesses));
                else
                    Terminal.Result($"{image.PadRight(column)}  {string.Join("  ", guesses.Select(Describe))}");
            }
            catch (InputError error) when (images.Count > 1)
            {
                // One damaged file of a folder keeps nobody from the others.
                Terminal.Error(error.Message, error.Help);
                failed = true;
            }
        }
        if (json)
            Terminal.Result(report.ToJsonString(OutputFormat.Indented));
        return failed ? ExitCode.WrongInput : ExitCode.Fine;
    }

    private static string Describe(Guess guess) => $"{guess.Class} {guess.Probability, 5:0.0%}";

    /// <returns>Null where the spec has errors, which have been shown.</returns>
    private Predictor? Open(ParseResult arguments)
    {
        string path = arguments.GetValue(_network)!;
        string? weights = arguments.GetValue(_weights);
        if (Directory.Exists(path))
            return weights is null or "best" or "last" or "last-average"
                ? Predictor.FromRun(RunFolder.Open(path), Place(arguments), weights ?? "best")
                : throw new InputError(
                    $"{path} is a run, which has weights of its own",
                    "choose them with --weights best, last or last-average, or name a spec"
                );
        if (weights is null)
            throw new InputError(
                $"{path} is not the folder of a run",
                "name a run folder, or give weights to a spec with --weights"
            );
        if (
            Specs.Fitting(path, _spec.Read(arguments)) is not var (network, _)
            || !TryScaling(network, arguments, out var scaling)
        )
            return null;
        if (Ir.ProgramModule.outputShape(network.Program).Length != 1 && arguments.GetValue(_input) is null)
            throw new InputError(
                $"the network gives {ShapeModule.describe(Ir.ProgramModule.outputShape(network.Program))}, not a number for each class",
                "use --input and --output for raw values"
            );
        return Predictor.FromWeights(
            network.Program,
            weights,
            scaling,
            Place(arguments),
            match => Terminal.WarnOfNumbers(weights, match.NotFinite)
        );
    }

    /// <summary>What the command line, or else the first recipe, says of pixels. What neither says is told: with other pixels
    /// than it was trained on, a network guesses, and nobody sees why.</summary>
    /// <returns>False where the option is wrong, which has been shown.</returns>
    private bool TryScaling(Compile.Network network, ParseResult arguments, out ChannelStatistics? scaling)
    {
        scaling = null;
        if (arguments.GetValue(_input) is not null)
            return true;
        int channels = (int)network.Program.Input.Head;
        if (arguments.GetValue(_normalize) is { } text)
        {
            var read = Recipes.scaling("--normalize", text);
            if (read.IsError)
            {
                Terminal.Show(read.ErrorValue);
                return false;
            }
            if (read.ResultValue.IsByDataSet)
                throw new InputError(
                    "--normalize dataset() needs the data set, which weights do not hold",
                    "give the numbers, as in --normalize 'by_channel(mean=0.13, std=0.31)'"
                );
            scaling = Scaling.Given(read.ResultValue, channels);
            return true;
        }
        var recipe = network.Recipes.FirstOrDefault();
        if (recipe is null || recipe.Scaling.IsByDataSet)
            Terminal.Note(
                $"note: the spec {(recipe is null ? "does not say how pixels are scaled" : "scales pixels by its data set's own means, which are not in it")}: "
                    + "they stay from 0 to 1; --normalize says another"
            );
        else
            scaling = Scaling.Given(recipe.Scaling, channels);
        return true;
    }

    /// <summary>In float32, whatever the run was trained in.</summary>
    private Execution Place(ParseResult arguments) => new() { Device = DeviceOption.Read(arguments, _device) };

    private static string[] Expand(string path) =>
        Directory.Exists(path) ? [.. FolderWalk.AllFiles(path).Where(ImageDecoder.IsNamedAsImage)] : [path];

    private static JsonNode ToJson(string image, IReadOnlyList<Guess> guesses) =>
        new JsonObject
        {
            ["image"] = image,
            ["guesses"] = new JsonArray([
                .. guesses.Select(guess =>
                    (JsonNode)new JsonObject { ["class"] = guess.Class, ["probability"] = guess.Probability }
                ),
            ]),
        };
}
