using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class ImageFolderTests
{
    private static readonly ImageShape Wanted = new(3, 12, 16);
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Classes_and_files_are_in_ordinal_order()
    {
        foreach (
            string name in (string[])
                ["dog/b.PNG", "dog/a.jpeg", "Cat/10.png", "Cat/9.jpg", "Cat/notes.txt", "Cat/.hid.png"]
        )
            _folder.Write(name, TestImages.Png(Wanted));
        _folder.Write(".git/x", [1]);
        var split = ImageFolder.Open(_folder.Path, Wanted, 1);
        var train = split.Train;
        var test = split.Test;
        Assert.That(train.ClassNames, Is.EqualTo(new[] { "Cat", "dog" }));
        Assert.That((train.Count, test.Count), Is.EqualTo((2, 2)));
        var all = Enumerable.Range(0, 2).Select(train.PathOf).Concat(Enumerable.Range(0, 2).Select(test.PathOf));
        Assert.That(
            all.Select(Path.GetFileName).Order(StringComparer.Ordinal),
            Is.EqualTo(new[] { "10.png", "9.jpg", "a.jpeg", "b.PNG" })
        );
        Assert.That(
            split.Note,
            Does.Contain("seed 1").And.EndsWith("; 1 file is left out, for it is no image: 1 .txt")
        );
    }

    [Test]
    public void Files_that_are_no_images_are_counted_and_named()
    {
        foreach (string name in (string[])["train/a/0.png", "train/b/0.png", "test/a/0.png", "test/b/0.png"])
            _folder.Write(name, TestImages.Png(Wanted));
        foreach (string name in (string[])["train/a/x.tiff", "train/b/y.TIFF", "test/b/list", "test/a/.DS_Store"])
            _folder.Write(name, [1]);
        Assert.That(
            ImageFolder.Open(_folder.Path, Wanted, 1).Note,
            Is.EqualTo("3 files are left out, for they are no images: 2 .tiff, 1 without an ending")
        );
    }

    [Test]
    public void A_split_depends_on_the_seed_alone()
    {
        for (int i = 0; i < 40; i++)
            _folder.Write($"{(i % 2 == 0 ? "even" : "odd")}/{i}.png", TestImages.Png(Wanted));
        string Test(ulong seed)
        {
            var test = ImageFolder.Open(_folder.Path, Wanted, seed).Test;
            return string.Join(' ', Enumerable.Range(0, test.Count).Select(i => Path.GetFileName(test.PathOf(i))));
        }
        Assert.That(Test(5), Is.EqualTo(Test(5)));
        Assert.That(Test(5), Is.Not.EqualTo(Test(6)));
        Assert.That(Test(5).Split(' '), Has.Length.EqualTo(8));
    }

    [TestCase("test", null)]
    [TestCase("val", "the test images are those of")]
    public void Train_and_test_folders_are_used(string testName, string? note)
    {
        foreach (string half in (string[])["train", testName])
        foreach (string name in (string[])["a", "b"])
            _folder.Write($"{half}/{name}/0.png", TestImages.Png(Wanted));
        var split = ImageFolder.Open(_folder.Path, Wanted, 1);
        Assert.That((split.Train.Count, split.Test.Count), Is.EqualTo((2, 2)));
        Assert.That(split.Note, note is null ? Is.Null : Does.StartWith(note));
    }

    [Test]
    public void Halves_with_different_classes_are_refused()
    {
        _folder.Write("train/a/0.png", TestImages.Png(Wanted));
        _folder.Write("test/b/0.png", TestImages.Png(Wanted));
        Refused("is in one only");
    }

    [Test]
    public void An_empty_folder_has_no_classes() => Refused("no class folders");

    [Test]
    public void An_empty_class_is_named()
    {
        _folder.Write("a/0.png", TestImages.Png(Wanted));
        Directory.CreateDirectory(_folder.File("b"));
        Refused(_folder.File("b"));
    }

    [Test]
    public void A_corrupt_image_is_named_when_it_is_read()
    {
        _folder.Write("a/0.png", TestImages.Png(Wanted));
        _folder.Write("a/1.png", TestImages.Png(Wanted)[..60]);
        var error = Assert.Throws<InputError>(() => new DataCatalog().Open(_folder.Path, Wanted))!;
        Assert.That(error.Message, Does.Contain(_folder.File("a/1.png")).And.Contain("damaged"));
    }

    [Test]
    public void The_middle_is_cut_out_and_resized()
    {
        // A 20×60 image, black but for a white middle third: a square of it is all white.
        var pixels = new byte[20 * 60];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i % 60 is >= 20 and < 40 ? 255 : 0);
        byte[] png = ImageDecoder.EncodePng(new Raster(new ImageShape(1, 20, 60), pixels));
        _folder.Write("a/0.png", png);
        _folder.Write("a/1.png", png);
        var image = TestImages.Read(ImageFolder.Open(_folder.Path, new ImageShape(3, 7, 7), 1).Train, 0);
        Assert.That(image, Is.All.EqualTo(255));
    }

    [Test]
    public void Opening_a_folder_measures_it_and_says_how_it_is_fitted()
    {
        for (int i = 0; i < 10; i++)
            _folder.Write($"{(i % 2 == 0 ? "a" : "b")}/{i}.png", TestImages.Png(new ImageShape(1, 12, 16), (ulong)i));
        var data = new DataCatalog().Open(_folder.Path, Wanted, 3);
        Assert.That((data.Train.Count, data.Test.Count), Is.EqualTo((8, 2)));
        Assert.That(data.Statistics.Mean, Has.Length.EqualTo(3));
        Assert.That(data.Adaptation, Does.Contain("3×12×16"));
    }

    [Test]
    public void Statistics_of_a_large_folder_are_remembered_until_it_changes()
    {
        for (int i = 0; i < 4; i++)
            _folder.Write($"images/a/{i}.png", TestImages.Png(Wanted, (ulong)i));
        var statistics = new FolderStatistics(new DataCache(_folder.File("cache")));
        var images = ImageFolder.Open(_folder.File("images"), Wanted, 1).Train;
        int passes = 0;
        var counter = new Counter(() => passes++);
        var first = statistics.Of(images, counter, CancellationToken.None);
        int once = passes;
        var second = statistics.Of(images, counter, CancellationToken.None);
        Assert.That(second.Mean, Is.EqualTo(first.Mean));
        Assert.That((once > 0, passes), Is.EqualTo((true, once)));
        _folder.Write("images/a/" + Path.GetFileName(images.PathOf(0)), TestImages.Png(Wanted, 77));
        Assert.That(statistics.Of(images, counter, CancellationToken.None).Mean, Is.Not.EqualTo(first.Mean));
    }

    private sealed class Counter(Action report) : IProgress<ReadProgress>
    {
        public void Report(ReadProgress value)
        {
            lock (this)
                report();
        }
    }

    private void Refused(string why) =>
        Assert.That(
            () => ImageFolder.Open(_folder.Path, Wanted, 1),
            Throws.TypeOf<InputError>().With.Message.Contains(why)
        );
}
