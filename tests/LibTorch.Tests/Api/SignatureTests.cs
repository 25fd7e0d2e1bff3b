using NUnit.Framework;

namespace CnnSpec.LibTorch.Tests.Api;

/// <summary>
/// Code written against this engine must compile against the official TorchSharp 0.106 as it stands, so every public or
/// protected member under its namespace must be one of TorchSharp's.
/// </summary>
[TestFixture]
public sealed class SignatureTests
{
    private const string Kept = "torchsharp-0.106-api.txt";

    private static SortedSet<string> Ours() =>
        SignatureNotation.Render(
            typeof(Engine)
                .Assembly.GetTypes()
                .Where(type => type.Namespace?.StartsWith("TorchSharp", StringComparison.Ordinal) == true)
        );

    private static string KeptPath => Path.Combine(TestContext.CurrentContext.TestDirectory, Kept);

    [Test]
    public void Every_member_is_one_of_TorchSharps_and_the_kept_list_holds_no_other()
    {
        var kept = File.ReadAllLines(KeptPath);
        var ours = Ours();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                ours.Except(kept),
                Is.Empty,
                "not in TorchSharp 0.106, or not yet in the list (see Regenerate)"
            );
            Assert.That(kept.Except(ours), Is.Empty, "in the list, but no longer here (see Regenerate)");
            Assert.That(kept, Is.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        }
    }

    /// <summary>
    /// Writes the kept list anew from the complete one, after members came or went:
    /// <c>TORCHSHARP_API=complete-list.txt dotnet test tests/LibTorch.Tests --filter Name=Regenerate</c>.
    /// </summary>
    [Test, Explicit("writes into the source tree")]
    public void Regenerate()
    {
        var complete = Environment.GetEnvironmentVariable("TORCHSHARP_API");
        Assert.That(complete, Is.Not.Null, "Set TORCHSHARP_API to the complete list of TorchSharp 0.106's signatures.");
        var theirs = File.ReadAllLines(complete!).ToHashSet();
        var ours = Ours();
        File.WriteAllText(
            Path.Combine(SourceDirectory(), Kept),
            string.Concat(ours.Where(theirs.Contains).Select(line => line + "\n"))
        );
        Assert.That(ours.Except(theirs), Is.Empty, "not in TorchSharp 0.106");
    }

    private static string SourceDirectory([System.Runtime.CompilerServices.CallerFilePath] string file = "") =>
        Path.GetDirectoryName(Path.GetDirectoryName(file))!;
}
