namespace CnnSpec.Cli.Output;

/// <summary>Command lines that a person copies from a message.</summary>
internal static class Shell
{
    /// <summary>A word as the shell needs it: quoted where it must be.</summary>
    public static string Word(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "_-./:+=@%,".Contains(c))
            ? text
            : $"'{text.Replace("'", @"'\''")}'";
}
