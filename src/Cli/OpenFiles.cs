using System.Globalization;

namespace CnnSpec.Cli;

/// <summary>How many files the process may have open. Its own libraries are some ninety, and each fails in another way.</summary>
internal static class OpenFiles
{
    private const int Needed = 128;
    private const string Limits = "/proc/self/limits";
    private const string Line = "Max open files";

    /// <summary>Says what to do where they are too few. Nothing is used here that would have to be loaded.</summary>
    public static bool AreEnough()
    {
        try
        {
            if (!File.Exists(Limits))
                return true;
            foreach (string line in File.ReadAllLines(Limits))
            {
                if (!line.StartsWith(Line, StringComparison.Ordinal))
                    continue;
                string first = line[Line.Length..].Trim().Split(' ')[0];
                if (
                    !long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out long most)
                    || most >= Needed
                )
                    return true;
                Console.Error.WriteLine($"error: this process may have {most} files open, and needs {Needed}");
                Console.Error.WriteLine("help: allow it more: ulimit -n 1024");
                return false;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
        return true;
    }
}
