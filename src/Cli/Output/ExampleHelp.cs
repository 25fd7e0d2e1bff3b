using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace CnnSpec.Cli.Output;

/// <summary>
/// A command's description is its summary and, after an empty line, its examples. The list of commands shows the summaries
/// alone; a command's own help ends with its examples.
/// </summary>
public sealed class ExampleHelp(Dictionary<Command, string> examples) : SynchronousCommandLineAction
{
    private readonly HelpAction _usual = new();

    public static void Install(RootCommand root)
    {
        var examples = new Dictionary<Command, string>();
        Collect(root, examples);
        root.Options.OfType<HelpOption>().Single().Action = new ExampleHelp(examples);
    }

    private static void Collect(Command command, Dictionary<Command, string> examples)
    {
        string[] parts = (command.Description ?? "").ReplaceLineEndings("\n").Split("\n\n", 2);
        command.Description = parts[0];
        if (parts.Length > 1)
            examples[command] = parts[1];
        foreach (var child in command.Subcommands)
            Collect(child, examples);
    }

    public override int Invoke(ParseResult result)
    {
        int code = _usual.Invoke(result);
        if (examples.TryGetValue(result.CommandResult.Command, out string? text))
            Terminal.Result(text);
        return code;
    }
}
