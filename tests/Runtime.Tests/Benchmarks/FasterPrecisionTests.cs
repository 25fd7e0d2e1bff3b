using CnnSpec.Elaborate;
using CnnSpec.Ir;
using CnnSpec.Runtime.Benchmarks;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Networks;

namespace CnnSpec.Runtime.Tests.Benchmarks;

/// <summary>Without it a training takes the slower precision, or measures anew with every run.</summary>
public class FasterPrecisionTests
{
    private string _cache = "";

    [SetUp]
    public void Begin() => _cache = Path.Combine(Directory.CreateTempSubdirectory("cnnspec").FullName, "precision");

    [TearDown]
    public void End() => Directory.Delete(Path.GetDirectoryName(_cache)!, recursive: true);

    private PrecisionChoice Ask(
        string body = "conv(4, kernel=3); relu; global_avg_pool; flatten; linear(3)",
        int batch = 2
    ) =>
        FasterPrecision.Of(
            Specs.Network(body),
            Recipes.fallback(new DataSource("shapes", "", 0, 1, 1, 3)),
            batch,
            TorchLibrary.Processor,
            null,
            _cache,
            default
        );

    [Test]
    public void It_is_measured_once_for_a_network_and_a_batch()
    {
        Assume.That(ProcessorPrecision.HasBFloat16(TorchLibrary.Processor), "this processor has no bfloat16");
        var first = Ask();
        Assert.That(first.Measured, Is.GreaterThan(0));
        var again = Ask();
        Assert.That((again.Measured, again.Precision), Is.EqualTo(((double?)null, first.Precision)));
        Assert.That(Ask(batch: 3).Measured, Is.Not.Null);
        Assert.That(Ask("conv(5, kernel=3); relu; global_avg_pool; flatten; linear(3)").Measured, Is.Not.Null);
    }

    [TestCase("1.9", Precision.BFloat16)]
    [TestCase("1.05", Precision.Float32)]
    [TestCase("0.4", Precision.Float32)]
    public void What_was_measured_decides(string kept, Precision expected)
    {
        Assume.That(ProcessorPrecision.HasBFloat16(TorchLibrary.Processor), "this processor has no bfloat16");
        Ask();
        File.WriteAllText(Directory.EnumerateFiles(_cache).Single(), kept);
        Assert.That(Ask(), Is.EqualTo(new PrecisionChoice(expected, null)));
    }

    [Test]
    public void A_damaged_answer_or_a_cache_that_cannot_be_written_is_measured_again()
    {
        Assume.That(ProcessorPrecision.HasBFloat16(TorchLibrary.Processor), "this processor has no bfloat16");
        Ask();
        File.WriteAllText(Directory.EnumerateFiles(_cache).Single(), "NaN");
        Assert.That(Ask().Measured, Is.Not.Null);
        Directory.Delete(_cache, recursive: true);
        File.WriteAllText(_cache, "a file where the folder should be");
        Assert.That(Ask().Measured, Is.Not.Null);
        Assert.That(Ask().Measured, Is.Not.Null);
    }
}
