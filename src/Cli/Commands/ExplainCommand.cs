using System.CommandLine;
using CnnSpec.Cli.Output;
using CnnSpec.Text.Codes;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec explain</c>: what a diagnostic code means, with an example and its remedy.</summary>
public static class ExplainCommand
{
    public static Command Create()
    {
        var code = new Argument<string?>("code")
        {
            Description = "A code such as E0301; all are listed if unsaid",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command(
            "explain",
            """
            Explain a diagnostic code: what it means, an example, and how to mend it.

            Examples:
              cnnspec explain E0301
              cnnspec explain
            """
        );
        command.Arguments.Add(code);
        command.SetAction(result => Run(result.GetValue(code)));
        return command;
    }

    private static int Run(string? code)
    {
        if (code is null)
        {
            foreach (var explanation in Table.all)
                Terminal.Result($"{explanation.Code}  {explanation.Title}");
            return ExitCode.Fine;
        }

        if (Table.tryFind(code) is { } found)
        {
            Terminal.Result(Explain.page(found.Value).TrimEnd());
            return ExitCode.Fine;
        }

        string help = Table.nearest(code) is { } near
            ? $"did you mean {near.Value}?"
            : "cnnspec explain lists all codes";
        Terminal.Error($"there is no code '{code}'", help);
        return ExitCode.Usage;
    }
}
