using System.CommandLine;

namespace CnnSpec.Cli.Commands;

/// <summary>The options that every command on a spec shares.</summary>
public sealed class SpecOptions
{
    public Option<string[]> Set { get; } =
        new("--set")
        {
            Description = "Give a parameter of the network another value, as in --set classes=100",
            HelpName = "name=value",
            AllowMultipleArgumentsPerToken = false,
        };

    public Option<string?> Input { get; } =
        new("--input") { Description = "Use another input size, as in --input 3x64x64", HelpName = "CxHxW" };

    public void AddTo(Command command)
    {
        Set.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (token.Value.IndexOf('=') < 1)
                    result.AddError($"--set takes name=value, and '{token.Value}' is not of that form");
        });
        Input.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (ParseShape(token.Value) is null)
                    result.AddError(
                        $"--input takes channels x height x width, as in 3x64x64, and '{token.Value}' is not of that form"
                    );
        });
        command.Options.Add(Set);
        command.Options.Add(Input);
    }

    public SpecFile.Settings Read(ParseResult result) =>
        new(
            [
                .. (result.GetValue(Set) ?? []).Select(text =>
                    (text[..text.IndexOf('=')], text[(text.IndexOf('=') + 1)..])
                ),
            ],
            result.GetValue(Input) is { } text ? ParseShape(text) : null
        );

    private static long[]? ParseShape(string text)
    {
        string[] parts = text.Split('x', '×');
        var shape = new long[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            if (!long.TryParse(parts[i].Trim(), out shape[i]) || shape[i] < 1)
                return null;
        return parts.Length is 1 or 3 ? shape : null;
    }
}
