using CnnSpec.Cli.Output;

namespace CnnSpec.Cli;

/// <summary>What becomes of a failure that no command foresaw. Its details are for whoever mends cnnspec, not for whoever runs it.</summary>
internal static class Fault
{
    /// <summary>Says what happened and gives the exit code that goes with it.</summary>
    public static int Report(Exception fault)
    {
        if (IsLackOfMemory(fault))
            return Terminal.Fail(
                new EnvironmentError(
                    "there is not enough memory for this",
                    "use a smaller --batch, or end other programs"
                )
            );
        string details = Path.Combine(Path.GetTempPath(), $"cnnspec-fault-{Environment.ProcessId}.txt");
        string help;
        try
        {
            File.WriteAllText(details, $"{string.Join(' ', Environment.GetCommandLineArgs())}\n{fault}\n");
            help = $"please report it with {details}, which says what happened";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            help = "please report the command that you ran";
        }
        Terminal.Error("cnnspec itself failed: the fault is not in your files", help);
        return ExitCode.Fault;
    }

    /// <summary>.NET's own, or the engine's, which is known by its words alone.</summary>
    private static bool IsLackOfMemory(Exception fault) =>
        fault is OutOfMemoryException
        || fault.Message.Contains("can't allocate memory", StringComparison.Ordinal)
        || fault.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
        || fault.Message.Contains("std::bad_alloc", StringComparison.Ordinal);
}
