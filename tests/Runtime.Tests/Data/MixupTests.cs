using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class MixupTests
{
    private static readonly ImageShape Shape = new(2, 5, 8);

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(7)]
    public void Mixup_blends_images_as_it_says(int count)
    {
        var (plain, mixed, mixing) = Run(new Mixup(0.4), count);
        for (int row = 0; row < count; row++)
        for (int i = 0; i < Shape.Size; i++)
        {
            float weight = mixing.Weight[row];
            float expected =
                weight * plain[row * Shape.Size + i] + (1 - weight) * plain[mixing.Partner[row] * Shape.Size + i];
            Assert.That(mixed[row * Shape.Size + i], Is.EqualTo(expected).Within(1e-6));
        }
    }

    [Test]
    public void Cutmix_pastes_as_much_as_it_says([Range(0, 9)] int epoch)
    {
        var (plain, mixed, mixing) = Run(new CutMix(), 6, epoch);
        for (int row = 0; row < 6; row++)
        {
            int kept = 0;
            for (int i = 0; i < Shape.Size; i++)
            {
                float value = mixed[row * Shape.Size + i];
                bool own = value == plain[row * Shape.Size + i];
                Assert.That(own || value == plain[mixing.Partner[row] * Shape.Size + i]);
                kept += own ? 1 : 0;
            }
            // A pasted value may equal the one it replaces, so a little more may seem kept.
            Assert.That((double)kept / Shape.Size, Is.InRange(mixing.Weight[row] - 1e-6, mixing.Weight[row] + 0.1));
        }
    }

    [Test]
    public void A_choice_uses_each()
    {
        var choice = new RandomBatchChoice(new Mixup(), new CutMix());
        var kinds = Enumerable.Range(0, 20).Select(epoch => IsPasted(Run(choice, 4, epoch))).ToHashSet();
        Assert.That(kinds, Has.Count.EqualTo(2));
    }

    [TestCase(0.2)]
    [TestCase(1)]
    [TestCase(4)]
    public void Weights_have_the_moments_of_beta(double alpha)
    {
        var random = new RandomStream(5);
        var draws = Enumerable.Range(0, 40_000).Select(_ => BetaDistribution.Draw(alpha, ref random)).ToArray();
        double mean = draws.Average();
        Assert.That(draws, Is.All.InRange(0.0, 1.0));
        Assert.That(mean, Is.EqualTo(0.5).Within(0.01));
        Assert.That(draws.Average(d => (d - mean) * (d - mean)), Is.EqualTo(1 / (4 * (2 * alpha + 1))).Within(0.005));
    }

    private static bool IsPasted((float[] Plain, float[] Mixed, LabelMixing Mixing) run) =>
        run.Mixed.Take(Shape.Size).Zip(run.Plain).Count(p => p.First == p.Second) > 2 || run.Mixing.Weight[0] == 0;

    private static (float[] Plain, float[] Mixed, LabelMixing Mixing) Run(
        IBatchTransform transform,
        int count,
        int epoch = 0
    )
    {
        var source = TestImages.Source(count, Shape);
        var options = new BatchOptions { BatchSize = count + 3, Seed = 2 };
        using var plain = new BatchLoader(source, options).Epoch(epoch).Single();
        using var mixed = new BatchLoader(source, options with { BatchTransform = transform }).Epoch(epoch).Single();
        int values = count * Shape.Size;
        return (plain.Pixels[..values], mixed.Pixels[..values], mixed.Mixing!);
    }
}
