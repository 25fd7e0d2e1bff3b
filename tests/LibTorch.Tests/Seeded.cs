using NUnit.Framework;
using TorchSharp;

namespace CnnSpec.LibTorch.Tests;

/// <summary>Random numbers for a test, from a seed that the test prints and CNNSPEC_TEST_SEED fixes.</summary>
internal static class Seeded
{
    public static Random Random()
    {
        var given = Environment.GetEnvironmentVariable("CNNSPEC_TEST_SEED");
        var seed = given is null ? Environment.TickCount & 0xffffff : int.Parse(given);
        TestContext.Out.WriteLine($"CNNSPEC_TEST_SEED={seed}");
        torch.manual_seed(seed);
        return new Random(seed);
    }
}
