using System.Security.Cryptography;
using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class DrawnShapesTests
{
    [TestCase(1, 28, 28, "b280c93eb76516b2")]
    [TestCase(3, 32, 48, "22549c9fa92c5c4d")]
    [TestCase(2, 8, 11, "4e7f8e4a7507c4dd")]
    public void Images_do_not_change_between_versions_or_platforms(int channels, int height, int width, string hash)
    {
        var shapes = new DrawnShapes(40, new ImageShape(channels, height, width), seed: 42, split: 1);
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < shapes.Count; i++)
            all.AppendData(TestImages.Read(shapes, i));
        Assert.That(Convert.ToHexStringLower(all.GetHashAndReset())[..16], Is.EqualTo(hash));
    }

    [Test]
    public void Classes_are_balanced()
    {
        var data = new DataCatalog().Open("shapes", new ImageShape(1, 16, 16), 1);
        Assert.That((data.Train.Count, data.Test.Count), Is.EqualTo((10_000, 2_000)));
        var counts = Enumerable.Range(0, data.Train.Count).CountBy(data.Train.Label).Select(c => c.Value);
        Assert.That(counts, Is.All.EqualTo(1_000));
        Assert.That(data.Train.ClassNames, Has.Count.EqualTo(10));
    }

    [Test]
    public void Seed_and_split_change_the_images()
    {
        var shape = new ImageShape(1, 20, 20);
        byte[] image = TestImages.Read(new DrawnShapes(1, shape, 1, 0), 0);
        Assert.That(TestImages.Read(new DrawnShapes(1, shape, 2, 0), 0), Is.Not.EqualTo(image));
        Assert.That(TestImages.Read(new DrawnShapes(1, shape, 1, 1), 0), Is.Not.EqualTo(image));
        Assert.That(TestImages.Read(new DrawnShapes(99, shape, 1, 0), 0), Is.EqualTo(image));
    }

    [Test]
    public void A_shape_too_small_to_draw_in_is_refused() =>
        Assert.That(
            () => new DrawnShapes(1, new ImageShape(1, 7, 28), 0, 0),
            Throws.TypeOf<InputError>().With.Message.Contains("1×7×28")
        );

    /// <summary>
    /// The pixels alone must not give the class away: the nearest class mean is little better than chance.
    /// </summary>
    [Test]
    public void Class_means_do_not_tell_the_classes_apart()
    {
        var shape = new ImageShape(1, 28, 28);
        var train = new DrawnShapes(4_000, shape, 1, 0);
        var test = new DrawnShapes(1_000, shape, 1, 1);
        var means = new float[10][];
        for (int c = 0; c < 10; c++)
            means[c] = new float[shape.Size];
        for (int i = 0; i < train.Count; i++)
        {
            byte[] pixels = TestImages.Read(train, i);
            for (int p = 0; p < pixels.Length; p++)
                means[train.Label(i)][p] += pixels[p] / 400f;
        }
        int right = 0;
        for (int i = 0; i < test.Count; i++)
        {
            byte[] pixels = TestImages.Read(test, i);
            var nearest = means.Index().MinBy(m => m.Item.Zip(pixels, (a, b) => (a - b) * (a - b)).Sum()).Index;
            right += nearest == test.Label(i) ? 1 : 0;
        }
        Assert.That(right, Is.LessThan(250));
    }
}
