using System.Diagnostics;
using System.Text.Json.Nodes;
using CnnSpec.Runtime.Tests.Networks;

namespace CnnSpec.Runtime.Tests.Torch;

/// <summary>Which of TorchSharp's packages a build takes: one system's libtorch, and no other's half a gigabyte.</summary>
[Category("Slow")]
public class PackagesTests
{
    [TestCase("cpu", "linux-x64", "TorchSharp", "libtorch-cpu-linux-x64")]
    [TestCase("cpu", "win-x64", "TorchSharp", "libtorch-cpu-win-x64")]
    [TestCase("cpu", "osx-arm64", "TorchSharp", "libtorch-cpu-osx-arm64")]
    [TestCase("cuda", "linux-x64", "TorchSharp-cuda-linux")]
    [TestCase("cuda", "win-x64", "TorchSharp-cuda-windows")]
    public void A_build_takes_one_systems_libtorch(string device, string system, params string[] expected)
    {
        string output = Evaluate(
            ["-getItem:PackageReference", $"-p:TorchDevice={device}", $"-p:RuntimeIdentifier={system}"],
            []
        );
        Assert.That(TorchPackages(output), Is.EqualTo(expected));
    }

    [Test]
    public void The_environment_asks_for_cuda_as_the_property_does() =>
        Assert.That(
            TorchPackages(
                Evaluate(["-getItem:PackageReference", "-p:RuntimeIdentifier=linux-x64"], [("CNNSPEC_DEVICE", "cuda")])
            ),
            Is.EqualTo(new[] { "TorchSharp-cuda-linux" })
        );

    [TestCase("linux-x64", "true")]
    [TestCase("win-x64", "")]
    [TestCase("osx-arm64", "")]
    public void Only_a_program_for_Linux_carries_the_native_loops(string system, string expected) =>
        Assert.That(
            Evaluate(["-getProperty:HasKernels", $"-p:RuntimeIdentifier={system}"], [], "Kernels").Trim(),
            Is.EqualTo(expected)
        );

    private static string[] TorchPackages(string json) =>
        [
            .. JsonNode.Parse(json)!["Items"]!["PackageReference"]!
                .AsArray()
                .Select(item => item!["Identity"]!.GetValue<string>())
                .Where(name => name.Contains("torch", StringComparison.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>A project as MSBuild sees it; nothing is restored or built.</summary>
    private static string Evaluate(
        string[] questions,
        (string Name, string Value)[] variables,
        string project = "Runtime.CSharp"
    )
    {
        var info = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            WorkingDirectory = Path.Combine(Specs.Root, "src", project),
        };
        foreach (string argument in (string[])["msbuild", "-nologo", .. questions])
            info.ArgumentList.Add(argument);
        info.Environment.Remove("CNNSPEC_DEVICE");
        foreach (var (name, value) in variables)
            info.Environment[name] = value;
        using var process = Process.Start(info)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, output);
        return output;
    }
}
