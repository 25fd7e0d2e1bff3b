using System.CommandLine;
using System.Text.Json.Nodes;
using CnnSpec.Cli.Output;
using CnnSpec.Ir;
using CnnSpec.Operators;
using CnnSpec.Text;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec check</c>: all errors of some specs, or what their networks come to.</summary>
public static class CheckCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files")
        {
            Description = "Spec files, or folders of them",
            Arity = ArgumentArity.OneOrMore,
        };
        var format = OutputFormat.Option();
        var spec = new SpecOptions();
        var solve = new Option<bool>("--solve-input")
        {
            Description = "List the input sizes, up to twice the spec's, at which no window leaves out an edge",
        };
        var command = new Command(
            "check",
            """
            Prove that every layer of a spec fits, or say what does not.

            Examples:
              cnnspec check specs/mnist/lenet5.cnn
              cnnspec check specs --format json
              cnnspec check specs/densenet.cnn --set growth_rate=32 --input 3x64x64
            """
        );
        command.Arguments.Add(files);
        command.Options.Add(format);
        command.Options.Add(solve);
        spec.AddTo(command);
        command.SetAction(result =>
            Run(result.GetValue(files)!, spec.Read(result), result.GetValue(format) == "json", result.GetValue(solve))
        );
        return command;
    }

    private static int Run(string[] arguments, SpecFile.Settings settings, bool json, bool solve)
    {
        var report = new JsonArray();
        bool failed = false;

        foreach (string path in arguments.SelectMany(SpecFile.Find))
        {
            var compilation = SpecFile.Open(path, settings);
            failed |= compilation.HasErrors;

            if (json)
                report.Add(ToJson(path, compilation, solve ? settings : null));
            else
                Print(path, compilation, solve ? settings : null);
        }

        if (json)
            Terminal.Result(report.ToJsonString(OutputFormat.Indented));
        return failed ? ExitCode.WrongInput : ExitCode.Fine;
    }

    /// <param name="solve">With which settings to look for input sizes; null not to.</param>
    private static void Print(string path, Compile.Compilation compilation, SpecFile.Settings? solve)
    {
        if (!compilation.Diagnostics.IsEmpty)
            Terminal.Show(compilation.Diagnostics);

        foreach (var network in compilation.HasErrors ? [] : compilation.Networks)
        {
            var program = network.Program;
            Terminal.Result(
                $"{path}: {program.Network} fits: {ShapeModule.compact(program.Input)} -> "
                    + $"{ShapeModule.compact(ProgramModule.outputShape(program))}, {ProgramModule.parameters(program):N0} parameters"
            );
            if (solve is not null)
                Terminal.Result(
                    $"{path}: no edge is left out at {InputSizes.Describe(InputSizes.Fitting(compilation, solve, program))}"
                );
        }
    }

    private static JsonObject ToJson(string path, Compile.Compilation compilation, SpecFile.Settings? solve) =>
        new()
        {
            ["file"] = path,
            ["ok"] = !compilation.HasErrors,
            ["networks"] = new JsonArray([
                .. compilation.Networks.Select(network =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["network"] = network.Program.Network,
                            ["input"] = OutputFormat.Numbers(network.Program.Input),
                            ["output"] = OutputFormat.Numbers(ProgramModule.outputShape(network.Program)),
                            ["parameters"] = ProgramModule.parameters(network.Program),
                            ["input_sizes"] = solve is null
                                ? null
                                : new JsonArray([
                                    .. InputSizes
                                        .Fitting(compilation, solve, network.Program)
                                        .Select(s => (JsonNode)OutputFormat.Numbers([s.Height, s.Width])),
                                ]),
                        }
                ),
            ]),
            ["diagnostics"] = DiagnosticJson.Of(compilation.Diagnostics),
        };
}
