using CnnSpec.Text;
using Microsoft.FSharp.Collections;
using Spectre.Console;

namespace CnnSpec.Cli.Output;

/// <summary>Results on standard output, everything else on standard error; colour only on a terminal.</summary>
public static class Terminal
{
    /// <summary>Whether standard error may be coloured (https://no-color.org).</summary>
    public static bool ColoursErrors { get; } =
        !Console.IsErrorRedirected
        && string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable("NO_COLOR"))
        && System.Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Whether a progress display may move the cursor.</summary>
    public static bool IsLive { get; } =
        !Console.IsErrorRedirected && System.Environment.GetEnvironmentVariable("TERM") != "dumb";

    private static readonly Lazy<IAnsiConsole> LiveErrors = new(() =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(Console.Error),
                ColorSystem = ColoursErrors ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            }
        )
    );

    /// <summary>Standard error, where progress is drawn.</summary>
    public static IAnsiConsole Errors => LiveErrors.Value;

    /// <summary>A table on standard output; a pipe has no width that it must fit.</summary>
    public static void Write(Spectre.Console.Rendering.IRenderable table)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(Console.Out),
                Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
                ColorSystem = Console.IsOutputRedirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            }
        );
        if (Console.IsOutputRedirected)
            console.Profile.Width = 400;
        console.Write(table);
    }

    public static void Result(string line) => Console.Out.WriteLine(Printable.lines(line));

    /// <summary>What is wrong with a spec, and what is worth a look.</summary>
    public static void Show(IEnumerable<Diagnostic> diagnostics) =>
        Line(Render.all(ColoursErrors ? Render.ansi : Render.plain, ListModule.OfSeq(diagnostics)));

    /// <summary>A line on standard error, above a progress display where one is drawn.</summary>
    public static void Note(string line) => Line(Printable.lines(line));

    private static void Line(string line)
    {
        if (LiveErrors.IsValueCreated)
            Errors.WriteLine(line);
        else
            Console.Error.WriteLine(line);
    }

    public static void Warning(string message) =>
        Line((ColoursErrors ? "\e[1;33mwarning\e[0m: " : "warning: ") + Printable.lines(message));

    public static void Error(string message, string? help = null)
    {
        Console.Error.WriteLine((ColoursErrors ? "\e[1;31merror\e[0m: " : "error: ") + Printable.lines(message));
        if (!string.IsNullOrEmpty(help))
            Console.Error.WriteLine((ColoursErrors ? "\e[1;32mhelp\e[0m: " : "help: ") + Printable.lines(help));
    }

    /// <summary>Weights that make every output infinite or none.</summary>
    public static void WarnOfNumbers(string path, IReadOnlyList<string> weights)
    {
        const int most = 3;
        if (weights.Count > 0)
            Warning(
                $"{path}: {weights.Count} weights hold numbers that are infinite or none (NaN): "
                    + string.Join(", ", weights.Take(most))
                    + (weights.Count > most ? ", …" : "")
            );
    }

    /// <summary>Says what is wrong and gives the exit code that goes with it.</summary>
    public static int Fail(UserError error)
    {
        Error(error.Message, error.Help);
        return error is EnvironmentError ? ExitCode.Environment : ExitCode.WrongInput;
    }
}
