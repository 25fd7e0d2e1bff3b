using System.ComponentModel;
using System.Diagnostics;

namespace CnnSpec.Runtime.Reports;

/// <summary>Graphviz lays drawings out.</summary>
public static class Graphviz
{
    /// <summary>DOT to SVG.</summary>
    /// <exception cref="EnvironmentError">Graphviz is not installed, or gave up.</exception>
    public static string ToSvg(string dot)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo("dot", ["-Tsvg"]) { RedirectStandardInput = true, RedirectStandardOutput = true }
            )!;
            var svg = process.StandardOutput.ReadToEndAsync();
            using (var input = process.StandardInput)
                input.Write(dot);
            process.WaitForExit();
            return process.ExitCode == 0
                ? svg.Result
                : throw new EnvironmentError("Graphviz could not lay the network out", "try --format dot");
        }
        catch (Win32Exception e)
        {
            throw new EnvironmentError(
                "drawing needs Graphviz, and there is no 'dot' on this machine",
                "apt-get install graphviz, or use --format dot",
                e
            );
        }
    }
}
