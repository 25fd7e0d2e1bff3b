using System.CommandLine;
using System.Text;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Runtime;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Syntax;
using CnnSpec.Text;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec fmt</c>: specs in their canonical form.</summary>
public static class FmtCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files")
        {
            Description = "Spec files, or folders of them; - reads standard input and writes standard output",
            Arity = ArgumentArity.OneOrMore,
        };
        var check = new Option<bool>("--check")
        {
            Description = "Change nothing; list the files that would change, and exit with 1 if there are any",
        };
        var command = new Command(
            "fmt",
            """
            Write specs in their canonical form. A file that does not parse is left alone.

            Examples:
              cnnspec fmt specs
              cnnspec fmt --check specs/densenet.cnn
              cnnspec fmt - < draft.cnn
            """
        );
        command.Arguments.Add(files);
        command.Options.Add(check);
        command.SetAction(result => Run(result.GetValue(files)!, result.GetValue(check)));
        return command;
    }

    private static int Run(string[] arguments, bool check)
    {
        bool wrong = false;

        foreach (
            string path in arguments.SelectMany(argument => argument == "-" ? [argument] : SpecFile.Find(argument))
        )
        {
            byte[] before = path == "-" ? StandardInput() : AtomicFile.Read(path);
            if (Rewriting.Canonical(path == "-" ? "standard input" : path, before) is not { } after)
                wrong = true;
            else if (path == "-" && !check)
                Console.Out.Write(after);
            else if (Encoding.UTF8.GetBytes(after) is var bytes && !before.AsSpan().SequenceEqual(bytes))
            {
                Terminal.Result(path);
                wrong |= check;
                if (!check)
                    AtomicFile.Write(path, stream => stream.Write(bytes));
            }
        }
        return wrong ? ExitCode.WrongInput : ExitCode.Fine;
    }

    private static byte[] StandardInput()
    {
        using var input = Console.OpenStandardInput();
        using var buffer = new MemoryStream();
        input.CopyTo(buffer);
        return buffer.ToArray();
    }
}
