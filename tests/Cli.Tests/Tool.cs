using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CnnSpec.Cli.Tests;

/// <summary>What a finished command left: exit code and both streams.</summary>
public sealed record Finished(int Code, string Output, string Errors)
{
    public string LastLine => Output.TrimEnd('\n').Split('\n')[^1];

    /// <summary>No user should ever meet these.</summary>
    public void ShowsNoInternals()
    {
        foreach (string text in new[] { Output, Errors })
        {
            Assert.That(text, Does.Not.Contain("   at "), "a stack trace");
            Assert.That(text, Does.Not.Match(@"\bSystem\.[A-Z]"), "a .NET type name");
            Assert.That(text, Does.Not.Contain("Exception"), "a .NET type name");
            Assert.That(text, Does.Not.Contain("c10::"), "a C++ type name");
        }
    }
}

/// <summary>The command line tool, run as a user runs it: a process with its own folder and streams.</summary>
public sealed class Tool : IDisposable
{
    private static readonly string Dll = Path.Combine(AppContext.BaseDirectory, "cnnspec.dll");

    /// <summary>The folder it runs in; removed at the end.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("cnnspec-test").FullName;

    public Dictionary<string, string?> Variables { get; } = [];

    /// <summary>The top of the source tree.</summary>
    public static string Root { get; } = FindRoot();

    public static string Spec(string name) => Path.Combine(Root, "specs", name);

    public string Write(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public Finished Run(params string[] arguments)
    {
        using var process = Start(arguments);
        return Finish(process);
    }

    public Process Start(params string[] arguments)
    {
        var info = new ProcessStartInfo("dotnet", [Dll, .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in Variables)
            info.Environment[name] = value;
        return Process.Start(info)!;
    }

    /// <summary>With redirections as a shell makes them.</summary>
    /// <param name="before">What the shell does first.</param>
    public Finished RunInShell(string commandLine, string before = "true")
    {
        var info = new ProcessStartInfo("bash", ["-c", $"{before}; dotnet '{Dll}' {commandLine}"])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(info)!;
        return Finish(process);
    }

    public static Finished Finish(Process process)
    {
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Finished(process.ExitCode, output, errors.Result);
    }

    /// <summary>Ctrl-C.</summary>
    public static void Interrupt(Process process) => Signal(process, 2);

    public static void Signal(Process process, int signal) => Assert.That(Kill(process.Id, signal), Is.Zero);

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "CnnSpec.sln")))
            folder = folder.Parent;
        return folder.FullName;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
