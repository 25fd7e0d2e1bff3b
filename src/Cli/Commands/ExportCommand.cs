using System.CommandLine;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Export;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec export</c>: a network for other programs.</summary>
public sealed class ExportCommand
{
    private const string Onnx = "onnx";

    private static readonly Dictionary<string, Action<string, Network>> WeightFormats = new()
    {
        ["safetensors"] = WeightExport.WriteSafetensors,
        ["npz"] = WeightExport.WriteNumPy,
        ["pth"] = WeightExport.WritePyTorch,
    };

    private readonly Argument<string> _network = new("network") { Description = "The folder of a run, or a spec" };
    private readonly SpecOptions _spec = new();
    private readonly Option<string?> _weights = new("--weights")
    {
        Description =
            "Weights: safetensors, .npz, a PyTorch state dict. Of a run its best if unsaid, of a spec its first",
        HelpName = "file",
    };
    private readonly Option<string?> _format = new("--to")
    {
        Description = "onnx, or weights alone: safetensors, npz, pth. What --out ends with if unsaid",
        HelpName = "format",
    };
    private readonly Option<string> _out = new("--out")
    {
        Description = "The file to write",
        HelpName = "file",
        Required = true,
    };
    private readonly Option<bool> _fold = new("--fold")
    {
        Description = "onnx: fold batch norm into the convolution before it",
    };
    private readonly Option<bool> _preprocess = new("--preprocess")
    {
        Description = "onnx: take bytes from 0 to 255 and scale them inside, as training did",
    };
    private readonly Option<bool> _softmax = new("--softmax")
    {
        Description = "onnx: give probabilities instead of logits",
    };

    public static Command Create()
    {
        var self = new ExportCommand();
        self._format.AcceptOnlyFromAmong([Onnx, .. WeightFormats.Keys]);
        var command = new Command(
            "export",
            """
            Write a network for other programs: an ONNX model (opset 17), or its weights.

            Examples:
              cnnspec export runs/lenet5 --out lenet5.onnx
              cnnspec export runs/photos --out photos.onnx --preprocess --softmax --fold
              cnnspec export specs/imagenet/resnet18.cnn --weights resnet18.pth --out resnet18.onnx
              cnnspec export runs/lenet5 --out lenet5.pth
            """
        );
        command.Arguments.Add(self._network);
        self._spec.AddTo(command);
        foreach (
            var option in new Option[]
            {
                self._weights,
                self._format,
                self._out,
                self._fold,
                self._preprocess,
                self._softmax,
            }
        )
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(self._out) is not { } path)
                return;
            string? format = self.FormatOf(result.GetValue(self._format), path);
            if (format is null)
                result.AddError(
                    $"the format of '{path}' is not told by how it ends; say --to {Onnx}, {string.Join(", ", WeightFormats.Keys)}"
                );
            else if (
                format != Onnx
                && (result.GetValue(self._fold) || result.GetValue(self._preprocess) || result.GetValue(self._softmax))
            )
                result.AddError("--fold, --preprocess and --softmax are for onnx");
        });
        command.SetAction(self.Run);
        return command;
    }

    private string? FormatOf(string? given, string path)
    {
        string ending = Path.GetExtension(path).TrimStart('.').ToLowerInvariant();
        return given
            ?? (
                ending == Onnx || WeightFormats.ContainsKey(ending) ? ending
                : ending == "pt" ? "pth"
                : null
            );
    }

    private int Run(ParseResult arguments)
    {
        if (Open(arguments) is not var (network, options))
            return ExitCode.WrongInput;
        using var owned = network;
        string path = arguments.GetValue(_out)!;
        string format = FormatOf(arguments.GetValue(_format), path)!;
        if (WeightFormats.TryGetValue(format, out var write))
        {
            write(path, network);
            Terminal.Result($"{path}: {network.NamedWeights().Count()} weights of {network.Program.Network}");
            return ExitCode.Fine;
        }
        var files = OnnxFile.Write(path, network, options);
        string input = ShapeOf(network.Program.Input);
        string output = ShapeOf(ProgramModule.outputShape(network.Program));
        Terminal.Result(
            $"{string.Join(" and ", files)}: {network.Program.Network}, [batch, {input}] -> [batch, {output}]"
        );
        return ExitCode.Fine;
    }

    /// <returns>Null where the spec has errors, which have been shown.</returns>
    private (Network, OnnxOptions)? Open(ParseResult arguments)
    {
        string path = arguments.GetValue(_network)!;
        string? weights = arguments.GetValue(_weights);
        OnnxOptions Options(ChannelStatistics? scaling, IReadOnlyList<string>? classes) =>
            new(
                arguments.GetValue(_fold),
                arguments.GetValue(_preprocess),
                arguments.GetValue(_softmax),
                scaling,
                classes
            );
        if (Directory.Exists(path))
        {
            var settings = _spec.Read(arguments);
            if (settings.Set.Count > 0 || settings.Input is not null)
                throw new InputError(
                    $"{path} is a run, whose network is what it was trained as",
                    "leave --set and --input out, or name a spec"
                );
            var run = RunFolder.Open(path);
            return (
                Filled(
                    run.Program,
                    run.Seed,
                    network => Load(weights, network, () => run.Load(RunFolder.Best, network))
                ),
                Options(run.Scaling, run.ClassNames)
            );
        }
        if (Specs.Fitting(path, _spec.Read(arguments)) is not var (network, _))
            return null;
        var recipe = network.Recipes.FirstOrDefault();
        if (arguments.GetValue(_preprocess) && recipe?.Scaling.IsByDataSet == true)
            throw new InputError(
                $"{path} scales pixels by the statistics of its data set, which a spec does not hold",
                "export the folder of a run, give normalize numbers, or leave --preprocess out"
            );
        return (
            Filled(network.Program, recipe?.Seed ?? 0, made => Load(weights, made, () => { })),
            Options(recipe is null ? null : Scaling.Given(recipe.Scaling, (int)network.Program.Input.Head), null)
        );
    }

    /// <summary>The network with these weights, or with those that training would begin from.</summary>
    private static Network Filled(Ir.Program program, long seed, Action<Network> load)
    {
        var network = Network.Initial(program, seed);
        load(network);
        return network;
    }

    private static void Load(string? weights, Network network, Action otherwise)
    {
        if (weights is null)
            otherwise();
        else
            Terminal.WarnOfNumbers(weights, WeightFile.Load(weights, network).NotFinite);
    }

    private static string ShapeOf(IEnumerable<long> shape) => string.Join(", ", shape);
}
