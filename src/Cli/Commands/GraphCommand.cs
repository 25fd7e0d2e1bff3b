using System.CommandLine;
using System.Text;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Reports;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec graph</c>: a drawing of a network, laid out by Graphviz.</summary>
public static class GraphCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The spec" };
        var spec = new SpecOptions();
        var format = new Option<string>("--format")
        {
            Description = "svg needs Graphviz; dot is its input",
            DefaultValueFactory = _ => "svg",
        };
        format.AcceptOnlyFromAmong("svg", "dot");
        var depth = NumberOption.Create<int>(
            "--depth",
            "How many levels of blocks are drawn open; others are folded, and opened once beside the network"
        );
        depth.DefaultValueFactory = _ => 0;
        var output = new Option<string?>("--out")
        {
            Description = "The file to write; standard output if unsaid",
            HelpName = "file",
        };
        var command = new Command(
            "graph",
            """
            Draw a network.

            Examples:
              cnnspec graph specs/resnet.cnn --out resnet.svg
              cnnspec graph specs/googlenet.cnn --depth 1 --format dot
            """
        );
        command.Arguments.Add(file);
        spec.AddTo(command);
        foreach (var option in new Option[] { format, depth, output })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            string ending = Path.GetExtension(result.GetValue(output) ?? "").TrimStart('.').ToLowerInvariant();
            if (ending is "png" or "pdf" or "jpg" or "svg" or "dot" && ending != result.GetValue(format))
                result.AddError(
                    $"'{result.GetValue(output)}' would not be what its name says: the drawing is {result.GetValue(format)}; "
                        + "--format chooses svg or dot"
                );
        });
        command.SetAction(result =>
        {
            if (Specs.Fitting(result.GetValue(file)!, spec.Read(result)) is not var (network, _))
                return ExitCode.WrongInput;
            string text = Dot.write(Figure.draw(result.GetValue(depth), network.Program));
            if (result.GetValue(format) == "svg")
                text = Graphviz.ToSvg(text);
            if (result.GetValue(output) is { } path)
                AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
            else
                Terminal.Result(text.TrimEnd('\n'));
            return ExitCode.Fine;
        });
        return command;
    }
}
