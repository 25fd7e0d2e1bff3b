using CnnSpec.Data;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using Interval = CnnSpec.Data.Interval;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class AugmentTests
{
    /// <summary>Every transform, at settings that fit the images made here.</summary>
    private static ISampleTransform[] All =>
        [
            new RandomHorizontalFlip(),
            new RandomVerticalFlip(),
            new Pad(2, PadMode.Reflect),
            new Pad(3),
            new CenterCrop(5, 4),
            new CenterCrop(19, 23),
            new RandomCrop(8, 7, 4),
            new RandomCrop(6, 8, 2, PadMode.Reflect),
            Resize.To(9, 13),
            Resize.ShorterSide(11),
            new RandomResizedCrop(7, 10),
            new RandomErasing(1),
            new Cutout(5),
            new ColorJitter(0.4, 0.4, 0.4, 0.1),
            new RandomRotation(30),
            new RandomRotation(30, Interpolation.Bilinear),
            new RandomAffine(10, 0.1, new Interval(0.8, 1.2), 10),
            new RandAugment(),
        ];

    [FsCheck.NUnit.Property]
    public Property The_shape_is_the_one_foretold(byte which, bool colour, byte height, byte width, ulong seed)
    {
        var shape = new ImageShape(colour ? 3 : 1, 8 + height % 20, 8 + width % 20);
        var transform = All[which % All.Length];
        var canvas = ColourOperationsTests.Canvas(shape, TestImages.Random(shape.Size, seed));
        var random = new RandomStream(seed);
        transform.Apply(canvas, ref random);
        return (canvas.Shape == transform.Output(shape))
            .ToProperty()
            .Label($"{transform.GetType().Name} {shape} → {canvas.Shape}, seed {seed}");
    }

    [FsCheck.NUnit.Property]
    public Property The_same_chance_gives_the_same_image(byte which, byte height, byte width, ulong seed)
    {
        var shape = new ImageShape(3, 8 + height % 20, 8 + width % 20);
        byte[] Run()
        {
            var canvas = ColourOperationsTests.Canvas(shape, TestImages.Random(shape.Size, 5));
            var random = new RandomStream(seed);
            All[which % All.Length].Apply(canvas, ref random);
            return canvas.Pixels.ToArray();
        }
        return Run().SequenceEqual(Run()).ToProperty();
    }

    [FsCheck.NUnit.Property]
    public Property Flipping_twice_changes_nothing(byte height, byte width, bool horizontal, ulong seed)
    {
        var shape = new ImageShape(3, 1 + height % 40, 1 + width % 40);
        byte[] pixels = TestImages.Random(shape.Size, seed);
        var canvas = ColourOperationsTests.Canvas(shape, pixels);
        ISampleTransform flip = horizontal ? new RandomHorizontalFlip(1) : new RandomVerticalFlip(1);
        var random = new RandomStream(seed);
        flip.Apply(canvas, ref random);
        flip.Apply(canvas, ref random);
        return canvas.Pixels.SequenceEqual(pixels).ToProperty();
    }

    [Test]
    public void A_flip_mirrors_each_row()
    {
        var canvas = ColourOperationsTests.Canvas(new ImageShape(2, 1, 3), [1, 2, 3, 4, 5, 6]);
        var random = new RandomStream(1);
        new RandomHorizontalFlip(1).Apply(canvas, ref random);
        Assert.That(canvas.Pixels.ToArray(), Is.EqualTo(new byte[] { 3, 2, 1, 6, 5, 4 }));
    }

    [TestCase(PadMode.Zero, new byte[] { 0, 0, 1, 2, 3, 0, 0 })]
    [TestCase(PadMode.Reflect, new byte[] { 3, 2, 1, 2, 3, 2, 1 })]
    public void Padding_is_zero_or_mirrored(PadMode mode, byte[] expected)
    {
        var canvas = ColourOperationsTests.Canvas(new ImageShape(1, 3, 3), [1, 2, 3, 1, 2, 3, 1, 2, 3]);
        var random = new RandomStream(1);
        new Pad(2, mode).Apply(canvas, ref random);
        Assert.That(canvas.Shape, Is.EqualTo(new ImageShape(1, 7, 7)));
        Assert.That(canvas.Pixels.Slice(2 * 7, 7).ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public void A_random_crop_reaches_every_place_and_no_other()
    {
        // Each pixel tells its place, so the corner of a crop tells where it was cut.
        var shape = new ImageShape(1, 6, 9);
        var pixels = Enumerable.Range(1, shape.Size).Select(i => (byte)i).ToArray();
        var seen = new HashSet<byte>();
        var random = new RandomStream(3);
        for (int i = 0; i < 1000; i++)
        {
            var canvas = ColourOperationsTests.Canvas(shape, pixels);
            new RandomCrop(4, 7).Apply(canvas, ref random);
            seen.Add(canvas.Pixels[0]);
        }
        Assert.That(seen.Order(), Is.EqualTo(new byte[] { 1, 2, 3, 10, 11, 12, 19, 20, 21 }));
    }

    [FsCheck.NUnit.Property]
    public Property A_resized_crop_stays_inside(byte height, byte width, ulong seed)
    {
        var shape = new ImageShape(1, 1 + height, 1 + width);
        var random = new RandomStream(seed);
        var region = new RandomResizedCrop(8, 8).Region(shape, ref random);
        return (
            region.Height > 0
            && region.Width > 0
            && region.Top >= 0
            && region.Left >= 0
            && region.Top + region.Height <= shape.Height
            && region.Left + region.Width <= shape.Width
        ).ToProperty();
    }

    [Test]
    public void A_resized_crop_that_cannot_fit_takes_the_middle()
    {
        var random = new RandomStream(1);
        var crop = new RandomResizedCrop(8, 8, new Interval(0.9, 1), new Interval(1, 1));
        Assert.That(crop.Region(new ImageShape(1, 10, 40), ref random), Is.EqualTo(new Rectangle(0, 15, 10, 10)));
    }

    [Test]
    public void A_resized_crop_keeps_to_its_scale_and_ratio()
    {
        var random = new RandomStream(8);
        var crop = new RandomResizedCrop(8, 8, new Interval(0.8, 1), new Interval(0.9, 1.1));
        for (int i = 0; i < 1000; i++)
        {
            var region = crop.Region(new ImageShape(3, 100, 120), ref random);
            Assert.That(region.Height * region.Width / 12000.0, Is.InRange(0.78, 1.0));
            Assert.That((double)region.Width / region.Height, Is.InRange(0.88, 1.12));
        }
    }

    [Test]
    public void Erasing_fills_with_the_mean()
    {
        var shape = new ImageShape(2, 20, 30);
        var canvas = ColourOperationsTests.Canvas(shape, TestImages.Random(shape.Size, 2));
        var fill = new ChannelStatistics([0.2f, 0.6f], [1, 1]);
        byte[] before = canvas.Pixels.ToArray();
        var random = new RandomStream(4);
        new RandomErasing(1, fill, new Interval(0.2, 0.2)).Apply(canvas, ref random);
        byte[] after = canvas.Pixels.ToArray();
        int changed = 0;
        for (int i = 0; i < after.Length; i++)
        {
            if (after[i] == before[i])
                continue;
            changed++;
            Assert.That(after[i], Is.EqualTo(i < 600 ? 51 : 153));
        }
        Assert.That(changed, Is.InRange(190, 270));
    }

    [Test]
    public void A_turn_by_90_degrees_moves_every_pixel()
    {
        var shape = new ImageShape(1, 3, 3);
        var canvas = ColourOperationsTests.Canvas(shape, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        AffineMap.About(shape, -90, 0, 0, 1, 0, 0).Apply(canvas, Interpolation.Bilinear);
        Assert.That(canvas.Pixels.ToArray(), Is.EqualTo(new byte[] { 3, 6, 9, 2, 5, 8, 1, 4, 7 }));
    }

    [Test]
    public void Settings_without_a_meaning_are_refused()
    {
        var small = new ImageShape(3, 8, 8);
        Refused(() => new RandomHorizontalFlip(1.5), "probability");
        Refused(() => new RandomCrop(32, 32).Output(small), "does not fit");
        Refused(() => new Pad(8, PadMode.Reflect).Output(small), "does not fit");
        Refused(() => new RandomResizedCrop(8, 8, new Interval(1, 0.5), new Interval(1, 1)), "scale");
        Refused(() => new ColorJitter(hue: 0.6), "hue");
        Refused(() => new ColorJitter(brightness: -1), "brightness");
        Refused(() => new RandAugment(2, 31).Output(small), "magnitude 31");
        Refused(() => new Mixup(0), "alpha");
        Refused(() => new RandomErasing(1, ChannelStatistics.Identity(1)).Output(small), "channels");
    }

    private static void Refused(Func<object> make, string why) =>
        Assert.That(() => make(), Throws.TypeOf<InputError>().With.Message.Contains(why));
}
