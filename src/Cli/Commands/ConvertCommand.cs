using System.CommandLine;
using System.Text;
using CnnSpec.Data;
using CnnSpec.Syntax;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec convert</c>: a spec in its other syntax.</summary>
public static class ConvertCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A .cnn or .yaml file" };
        var to = new Option<string?>("--to") { Description = "cnn or yaml; the other one if unsaid" };
        to.AcceptOnlyFromAmong("cnn", "yaml");
        var output = new Option<string?>("--out")
        {
            Description = "Where to write it; standard output if unsaid",
            HelpName = "file",
        };
        var command = new Command(
            "convert",
            """
            Write a .cnn spec as YAML, or a YAML spec as .cnn. Nothing is lost either way, comments included.

            Examples:
              cnnspec convert specs/densenet.cnn
              cnnspec convert specs/densenet.cnn --out densenet.yaml
              cnnspec convert densenet.yaml --to cnn
            """
        );
        command.Arguments.Add(file);
        command.Options.Add(to);
        command.Options.Add(output);
        command.SetAction(result => Run(result.GetValue(file)!, result.GetValue(to), result.GetValue(output)));
        return command;
    }

    private static int Run(string path, string? to, string? output)
    {
        var syntax = to switch
        {
            "cnn" => SpecSyntax.Cnn,
            "yaml" => SpecSyntax.Yaml,
            // The file that is written says it by its name, or else it is the other of the two.
            _ when output is not null => SpecSyntaxModule.ofPath(output),
            _ => SpecSyntaxModule.ofPath(path).IsCnn ? SpecSyntax.Yaml : SpecSyntax.Cnn,
        };
        if (Rewriting.Canonical(path, AtomicFile.Read(path), syntax) is not { } text)
            return ExitCode.WrongInput;
        if (output is null)
            Console.Out.Write(text);
        else
            AtomicFile.Write(output, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        return ExitCode.Fine;
    }
}
