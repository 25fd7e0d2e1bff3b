using System.CommandLine;
using System.Text.Json.Nodes;
using CnnSpec.Cli.Output;
using CnnSpec.Ir;
using CnnSpec.Operators;
using Microsoft.FSharp.Core;
using Spectre.Console;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec summary</c>: a network's layers and what they cost.</summary>
public static class SummaryCommand
{
    /// <summary>The batch that the memory estimate is for.</summary>
    private const int Batch = 128;

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The spec" };
        var spec = new SpecOptions();
        var format = OutputFormat.Option();
        var command = new Command(
            "summary",
            """
            Show a network layer by layer: output shape, parameters, multiply-accumulates, receptive field.

            Examples:
              cnnspec summary specs/densenet.cnn
              cnnspec summary specs/imagenet/vgg16.cnn --format json
            """
        );
        command.Arguments.Add(file);
        spec.AddTo(command);
        command.Options.Add(format);
        command.SetAction(result => Run(result.GetValue(file)!, spec.Read(result), result.GetValue(format) == "json"));
        return command;
    }

    private static int Run(string file, SpecFile.Settings settings, bool json)
    {
        if (Specs.Fitting(file, settings) is not var (network, _))
            return ExitCode.WrongInput;
        var program = network.Program;
        var layers = Summary.layers(program);
        var totals = Summary.totals(program);
        if (json)
            Terminal.Result(ToJson(program, layers, totals).ToJsonString(OutputFormat.Indented));
        else
            Print(program, layers, totals);
        return ExitCode.Fine;
    }

    private static void Print(Ir.Program program, IEnumerable<Summary.Layer> layers, Summary.Totals totals)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("layer", "operator", "output");
        foreach (string number in new[] { "parameters", "MACs", "sees" })
            table.AddColumn(new TableColumn(number).RightAligned());
        foreach (var layer in layers)
            table.AddRow(
                Markup.Escape(layer.Path + (layer.TrainingOnly ? " (training only)" : "")),
                layer.Operator,
                ShapeModule.compact(layer.Output),
                layer.Parameters > 0 ? $"{layer.Parameters:N0}" : "",
                layer.Macs > 0 ? $"{layer.Macs:N0}" : "",
                Field(layer) is var (height, width) ? $"{height}x{width}" : "all"
            );
        Terminal.Write(table);

        // Weights, their gradients and two moments of Adam; activations and their gradients.
        double training = 4.0 * (4 * totals.Parameters + 2.0 * Batch * totals.Activations);
        Terminal.Result(
            $"{program.Network}: {ShapeModule.compact(program.Input)} -> {ShapeModule.compact(ProgramModule.outputShape(program))}"
        );
        Terminal.Result($"parameters: {totals.Parameters:N0} ({Bytes(4.0 * totals.Parameters)} as float32)");
        Terminal.Result($"MACs for one image: {totals.Macs:N0}");
        Terminal.Result($"training memory at batch {Batch}, with Adam: about {Bytes(training)}");
    }

    private static JsonObject ToJson(Ir.Program program, IEnumerable<Summary.Layer> layers, Summary.Totals totals) =>
        new()
        {
            ["network"] = program.Network,
            ["input"] = OutputFormat.Numbers(program.Input),
            ["output"] = OutputFormat.Numbers(ProgramModule.outputShape(program)),
            ["parameters"] = totals.Parameters,
            ["macs"] = totals.Macs,
            ["activations"] = totals.Activations,
            ["layers"] = new JsonArray([
                .. layers.Select(layer =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["path"] = layer.Path,
                            ["op"] = layer.Operator,
                            ["output"] = OutputFormat.Numbers(layer.Output),
                            ["parameters"] = layer.Parameters,
                            ["macs"] = layer.Macs,
                            ["receptive_field"] = Field(layer) is var (height, width)
                                ? OutputFormat.Numbers([height, width])
                                : null,
                            ["line"] = layer.Line,
                            ["training_only"] = layer.TrainingOnly,
                        }
                ),
            ]),
        };

    private static (long Height, long Width)? Field(Summary.Layer layer) =>
        OptionModule.IsSome(layer.ReceptiveField)
            ? (layer.ReceptiveField.Value.Item1, layer.ReceptiveField.Value.Item2)
            : null;

    private static string Bytes(double bytes) =>
        bytes >= 1e9 ? $"{bytes / 1e9:0.0} GB"
        : bytes >= 1e6 ? $"{bytes / 1e6:0.0} MB"
        : $"{bytes / 1e3:0.0} kB";
}
