using System.Diagnostics;

namespace CnnSpec.Parity;

/// <summary>Debian's python3-torch, which writes what we are compared with.</summary>
internal static class PyTorch
{
    private const string Python = "/usr/bin/python3";

    private static readonly Lazy<bool> IsThere = new(() =>
        File.Exists(Python) && Start("-c", "import torch, torchvision").Code == 0
    );

    /// <summary>What a script of this folder prints. The test is inconclusive where PyTorch is not installed.</summary>
    public static string Run(string script, params string[] arguments)
    {
        Assume.That(IsThere.Value, "python3-torch and python3-torchvision are not installed");
        var (code, output, errors) = Start([Path.Combine(AppContext.BaseDirectory, script), .. arguments]);
        Assert.That(code, Is.Zero, errors);
        return output;
    }

    private static (int Code, string Output, string Errors) Start(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
