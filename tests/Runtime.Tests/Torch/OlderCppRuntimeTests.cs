namespace CnnSpec.Runtime.Tests.Torch;

/// <summary>TorchSharp's library on a system whose C++ runtime is older: one flag is changed, and nothing else.</summary>
public class OlderCppRuntimeTests
{
    private const string Version = "GLIBCXX_3.4.32";

    private static byte[] TorchSharpLibrary()
    {
        string packages =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string version = typeof(TorchSharp.torch).Assembly.GetName().Version!.ToString(3);
        return File.ReadAllBytes(
            Path.Combine(packages, "torchsharp", version, "runtimes", "linux-x64", "native", "libLibTorchSharp.so")
        );
    }

    [Test]
    public void The_need_of_one_version_becomes_weak()
    {
        var original = TorchSharpLibrary();
        var changed = (byte[])original.Clone();
        Assert.That(OlderCppRuntime.Weaken(changed, Version), Is.True);
        int[] places = [.. Enumerable.Range(0, original.Length).Where(i => original[i] != changed[i])];
        Assert.That(places, Has.Length.EqualTo(1));
        Assert.That((original[places[0]], changed[places[0]]), Is.EqualTo(((byte)0, (byte)2)));

        var again = (byte[])changed.Clone();
        Assert.That(OlderCppRuntime.Weaken(again, Version), Is.True);
        Assert.That(again, Is.EqualTo(changed));
    }

    [Test]
    public void A_library_without_that_need_is_refused()
    {
        Assert.That(OlderCppRuntime.Weaken(TorchSharpLibrary(), "GLIBCXX_9.9.99"), Is.False);
        Assert.That(OlderCppRuntime.Weaken([], Version), Is.False);
        Assert.That(OlderCppRuntime.Weaken(new byte[4096], Version), Is.False);
    }

    [TestCase(64)]
    [TestCase(1000)]
    [TestCase(100_000)]
    public void A_library_that_is_cut_off_is_refused(int length) =>
        Assert.That(OlderCppRuntime.Weaken(TorchSharpLibrary()[..length], Version), Is.False);
}
