using NUnit.Framework;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Values;

/// <summary>Swapped height and width, or a wrong rounding, go unseen on square inputs: nothing here is square.</summary>
[TestFixture]
public sealed class WindowTests
{
    private const int Cases = 60;

    [Test]
    public void Convolutions_agree_with_loops() =>
        Repeat(random =>
        {
            var groups = random.Next(1, 4);
            var (down, across) = (Any(random), Any(random));
            var input = Picture(random, 2 * groups);
            var weight = Image.Of(3 * groups, 2, down.Kernel, across.Kernel, random.NextDouble);
            var bias = Enumerable.Range(0, weight.N).Select(_ => random.NextDouble()).ToArray();
            if (!Fits(input, down, across))
                return;
            var actual = F.conv2d(
                ToTensor(input),
                ToTensor(weight),
                tensor(bias),
                [down.Stride, across.Stride],
                [down.Padding, across.Padding],
                [down.Dilation, across.Dilation],
                groups
            );
            AssertSame(actual, Windows.Convolve(input, weight, bias, down, across, groups));
        });

    [Test]
    public void Max_pools_agree_with_loops() =>
        Repeat(random =>
        {
            var (down, across, input, ceil) = (
                Pool(random, 3),
                Pool(random, 3),
                Picture(random, 3),
                random.Next(2) == 0
            );
            if (!Fits(input, down, across))
                return;
            var actual = F.max_pool2d(
                ToTensor(input),
                [down.Kernel, across.Kernel],
                [down.Stride, across.Stride],
                [down.Padding, across.Padding],
                [down.Dilation, across.Dilation],
                ceil
            );
            AssertSame(actual, Windows.MaxPool(input, down, across, ceil));
        });

    [Test]
    public void Average_pools_agree_with_loops() =>
        Repeat(random =>
        {
            var (down, across, input) = (Pool(random, 1), Pool(random, 1), Picture(random, 3));
            var (ceil, countPadding) = (random.Next(2) == 0, random.Next(2) == 0);
            if (!Fits(input, down, across))
                return;
            var actual = F.avg_pool2d(
                ToTensor(input),
                [down.Kernel, across.Kernel],
                [down.Stride, across.Stride],
                [down.Padding, across.Padding],
                ceil,
                countPadding
            );
            AssertSame(actual, Windows.AveragePool(input, down, across, ceil, countPadding));
        });

    [Test]
    public void Adaptive_average_pools_agree_with_loops() =>
        Repeat(random =>
        {
            var (input, height, width) = (Picture(random, 2), random.Next(1, 12), random.Next(1, 12));
            var actual = F.adaptive_avg_pool2d(ToTensor(input), [height, width]);
            AssertSame(actual, Windows.AdaptiveAveragePool(input, height, width));
        });

    private static void Repeat(Action<Random> test)
    {
        var random = Seeded.Random();
        for (var i = 0; i < Cases; i++)
        {
            using var scope = NewDisposeScope();
            test(random);
        }
    }

    private static Side Any(Random random) =>
        new(random.Next(1, 4), random.Next(1, 4), random.Next(3), random.Next(1, 4));

    // A pool's padding may be at most half its kernel.
    private static Side Pool(Random random, int dilations)
    {
        var kernel = random.Next(1, 5);
        return new Side(kernel, random.Next(1, 4), random.Next(kernel / 2 + 1), random.Next(1, dilations + 1));
    }

    private static Image Picture(Random random, int channels) =>
        Image.Of(2, channels, random.Next(5, 9), random.Next(9, 14), () => random.NextDouble() - 0.5);

    private static bool Fits(Image input, Side down, Side across) =>
        down.Count(input.H) > 0 && across.Count(input.W) > 0;

    private static Tensor ToTensor(Image image) => tensor(image.Values, [image.N, image.C, image.H, image.W]);

    private static void AssertSame(Tensor actual, Image expected)
    {
        Assert.That(actual.shape, Is.EqualTo(new long[] { expected.N, expected.C, expected.H, expected.W }));
        Assert.That(actual.data<double>().ToArray(), Is.EqualTo(expected.Values).Within(1e-10));
    }
}
