using System.CommandLine;
using System.CommandLine.Parsing;

namespace CnnSpec.Cli;

/// <summary>Refuses empty texts, which an unset variable of a shell leaves behind, wherever a name or a path is asked for.</summary>
internal static class EmptyArguments
{
    public static void Refuse(Command command)
    {
        foreach (var option in command.Options.Where(option => IsText(option.ValueType)))
            option.Validators.Add(result => Check(result, option.Name));
        foreach (var argument in command.Arguments.Where(argument => IsText(argument.ValueType)))
            argument.Validators.Add(result => Check(result, argument.Name));
        foreach (var inner in command.Subcommands)
            Refuse(inner);
    }

    private static bool IsText(Type type) => type == typeof(string) || type == typeof(string[]);

    private static void Check(SymbolResult result, string name)
    {
        if (result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
            result.AddError($"'{name}' is given an empty text");
    }
}
