using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class AdaptedImagesTests
{
    [TestCase(1, 28, 28, 1, 28, 28, null)]
    [TestCase(1, 28, 28, 1, 32, 32, "padded 28×28 → 32×32")]
    [TestCase(1, 28, 28, 1, 28, 32, "padded 28×28 → 28×32")]
    [TestCase(1, 28, 28, 1, 33, 33, "resized 28×28 → 33×33")]
    [TestCase(1, 28, 28, 1, 36, 36, "resized 28×28 → 36×36")]
    [TestCase(1, 28, 28, 1, 32, 24, "resized 28×28 → 32×24")]
    [TestCase(1, 28, 28, 3, 32, 32, "padded 28×28 → 32×32, grey repeated in 3 channels")]
    [TestCase(3, 32, 32, 1, 32, 32, "RGB turned to grey by luma")]
    [TestCase(3, 32, 32, 3, 224, 224, "resized 32×32 → 224×224")]
    public void Says_what_it_does(int c, int h, int w, int toC, int toH, int toW, string? expected) =>
        Assert.That(
            AdaptedImages.Describe(new ImageShape(c, h, w), new ImageShape(toC, toH, toW)),
            Is.EqualTo(expected)
        );

    [Test]
    public void Padding_puts_the_image_in_the_middle_of_zeros()
    {
        var source = TestImages.Source(2, new ImageShape(2, 8, 16));
        var adapted = AdaptedImages.To(source, new ImageShape(2, 10, 20));
        byte[] original = TestImages.Read(source, 1);
        byte[] padded = TestImages.Read(adapted, 1);
        for (int c = 0; c < 2; c++)
        for (int y = 0; y < 10; y++)
        for (int x = 0; x < 20; x++)
        {
            bool inside = y is >= 1 and < 9 && x is >= 2 and < 18;
            int expected = inside ? original[c * 128 + (y - 1) * 16 + x - 2] : 0;
            Assert.That(padded[c * 200 + y * 20 + x], Is.EqualTo(expected));
        }
    }

    [Test]
    public void Resizing_follows_the_conversion_of_channels()
    {
        var source = TestImages.Source(1, new ImageShape(3, 6, 9));
        var adapted = AdaptedImages.To(source, new ImageShape(1, 12, 7));
        var grey = new Raster(source.Shape, TestImages.Read(source, 0)).WithChannels(1);
        var expected = new byte[12 * 7];
        new BilinearResizer().Resize(grey.Pixels, grey.Shape, Rectangle.Whole(grey.Shape), expected, 12, 7);
        Assert.That(TestImages.Read(adapted, 0), Is.EqualTo(expected));
    }

    [Test]
    public void An_equal_shape_is_the_source_itself()
    {
        var source = TestImages.Source(1, new ImageShape(3, 6, 9));
        Assert.That(AdaptedImages.To(source, source.Shape), Is.SameAs(source));
    }

    [Test]
    public void Channels_that_have_no_meaning_are_refused() =>
        Assert.That(
            () => AdaptedImages.To(TestImages.Source(1, new ImageShape(3, 6, 9)), new ImageShape(4, 6, 9)),
            Throws.TypeOf<InputError>().With.Message.Contains("3 channels cannot be turned into 4")
        );

    [Test]
    public void One_may_stand_on_another()
    {
        var source = TestImages.Source(1, new ImageShape(1, 8, 8));
        var padded = AdaptedImages.To(source, new ImageShape(1, 10, 10));
        var twice = AdaptedImages.To(padded, new ImageShape(1, 12, 12));
        byte[] outer = TestImages.Read(twice, 0);
        Assert.That(outer[2 * 12 + 2], Is.EqualTo(TestImages.Read(source, 0)[0]));
    }

    [Test]
    public void Statistics_equal_those_of_all_pixels_at_once()
    {
        var source = TestImages.Source(57, new ImageShape(3, 5, 8), seed: 9);
        var statistics = ChannelStatistics.Of(source);
        for (int c = 0; c < 3; c++)
        {
            var values = Enumerable
                .Range(0, source.Count)
                .SelectMany(i => TestImages.Read(source, i)[(c * 40)..((c + 1) * 40)])
                .Select(p => p / 255.0)
                .ToArray();
            double mean = values.Average();
            double deviation = Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
            Assert.That(statistics.Mean[c], Is.EqualTo(mean).Within(1e-7));
            Assert.That(statistics.Deviation[c], Is.EqualTo(deviation).Within(1e-7));
        }
    }

    [Test]
    public void Reading_all_into_memory_keeps_every_image()
    {
        var source = TestImages.Source(23, new ImageShape(2, 5, 8));
        var copy = MemoryImages.Materialise(source);
        for (int i = 0; i < source.Count; i++)
        {
            Assert.That(TestImages.Read(copy, i), Is.EqualTo(TestImages.Read(source, i)));
            Assert.That(copy.Label(i), Is.EqualTo(source.Label(i)));
        }
    }
}
