using System.Text;
using System.Text.RegularExpressions;

namespace CnnSpec.Cli.Tests;

/// <summary>
/// docs/commands.md is what the commands say of themselves. <c>CNNSPEC_UPDATE_GOLDEN=1</c> writes it anew.
/// </summary>
public class CommandReferenceTests
{
    private const string Heading = """
        # The command line

        What `cnnspec COMMAND --help` prints. Results go to standard output, everything else to standard error.

        | exit code | |
        |---|---|
        | 0 | it is as was asked |
        | 1 | the spec, the data or a file is wrong |
        | 2 | the command line is wrong |
        | 3 | the machine is at fault: no network, a full disk, no libtorch |
        | 70 | a fault of cnnspec's own; a file with the details is named |
        | 130 | interrupted; a training is saved |

        """;

    [Test]
    public void The_page_of_commands_is_what_they_say()
    {
        using var tool = new Tool();
        var page = new StringBuilder(Heading);
        foreach (string command in Commands(tool, []))
        {
            page.Append($"\n## {command}\n\n```\n{Help(tool, [command])}\n```\n");
            foreach (string inner in Commands(tool, [command]))
                page.Append($"\n### {command} {inner}\n\n```\n{Help(tool, [command, inner])}\n```\n");
        }
        string path = Path.Combine(Tool.Root, "docs", "commands.md");
        if (Environment.GetEnvironmentVariable("CNNSPEC_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, page.ToString());
        Assert.That(page.ToString(), Is.EqualTo(File.ReadAllText(path)), "run: dotnet fsi build.fsx docs");
    }

    private static string Help(Tool tool, string[] command)
    {
        var done = tool.Run([.. command, "--help"]);
        Assert.That(done.Code, Is.Zero);
        return Regex.Replace(done.Output, "[ \t]+\n", "\n").Trim();
    }

    /// <summary>The commands that the help lists.</summary>
    private static IEnumerable<string> Commands(Tool tool, string[] above)
    {
        string list = Help(tool, above);
        int at = list.IndexOf("\nCommands:\n", StringComparison.Ordinal);
        return at < 0
            ? []
            : Regex
                .Matches(list[(at + 11)..].Split("\n\n")[0], "^  ([a-z]+)", RegexOptions.Multiline)
                .Select(match => match.Groups[1].Value);
    }
}
