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
        var split = ImageListing.Read(_folder.Path).Split(Wanted, 1);
        var train = split.Train;
        var test = split.Test;
        Assert.That(train.ClassNames, Is.EqualTo(new[] { "Cat", "dog" }));
        Assert.That((train.Count, test.Count), Is.EqualTo((2, 2)));
        var all = Enumerable.Range(0, 2).Select(train.PathOf).Concat(Enumerable.Range(0, 2).Select(test.PathOf));
        Assert.That(
            all.Select(Path.GetFileName).Order(StringComparer.Ordinal),
            Is.EqualTo(new[] { "10.png", "9.jpg", "a.jpeg", "b.PNG" })
        );
        Assert.That(split.Notes[0], Does.Contain("seed 1"));
        Assert.That(split.Notes[1], Is.EqualTo("1 file is left out, for it is no image: 1 .txt"));
    }

    [Test]
    public void Files_that_are_no_images_are_counted_and_named()
    {
        foreach (string name in (string[])["train/a/0.png", "train/b/0.png", "test/a/0.png", "test/b/0.png"])
            _folder.Write(name, TestImages.Png(Wanted));
        foreach (string name in (string[])["train/a/x.tiff", "train/b/y.TIFF", "test/b/list", "test/a/.DS_Store"])
            _folder.Write(name, [1]);
        Assert.That(
            ImageListing.Read(_folder.Path).Split(Wanted, 1).Notes.Single(),
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
            var test = ImageListing.Read(_folder.Path).Split(Wanted, seed).Test;
            return string.Join(' ', Enumerable.Range(0, test.Count).Select(i => Path.GetFileName(test.PathOf(i))));
        }
        Assert.That(Test(5), Is.EqualTo(Test(5)));
        Assert.That(Test(5), Is.Not.EqualTo(Test(6)));
        Assert.That(Test(5).Split(' '), Has.Length.EqualTo(8));
    }

    [TestCase("test", null)]
    [TestCase("val", "there is no test folder: the images of")]
    [TestCase("validation", "there is no test folder: the images of")]
    public void Train_and_test_folders_are_used(string testName, string? note)
    {
        WriteAll("train/a/0", "train/b/0", $"{testName}/a/0", $"{testName}/b/0");
        var split = Listed().Split(Wanted, 1);
        Assert.That((split.Train.Count, split.Test.Count, split.Validation), Is.EqualTo((2, 2, (ImageFolder?)null)));
        Assert.That(string.Concat(split.Notes), note is null ? Is.Empty : Does.StartWith(note));
    }

    [TestCase("val")]
    [TestCase("valid")]
    [TestCase("validation")]
    public void Beside_a_test_folder_the_others_validate(string name)
    {
        WriteAll("train/a/0", "train/a/1", "train/b/0", $"{name}/a/0", $"{name}/b/0", "test/a/0", "test/b/0");
        var split = Listed().Split(Wanted, 1);
        Assert.That((split.Train.Count, split.Validation!.Count, split.Test.Count), Is.EqualTo((3, 2, 2)));
        Assert.That(split.Notes, Is.Empty);
        Assert.That(split.Validation.PathOf(0), Does.Contain($"{name}/a"));
        var data = new DataCatalog().Open(_folder.Path, Wanted);
        Assert.That(data.Validation!.Count, Is.EqualTo(2));
    }

    [Test]
    public void A_folder_that_is_not_read_is_named()
    {
        WriteAll("train/a/0", "train/b/0", "test/a/0", "test/b/0", "extra/a/0", "valid/a/0", "valid/b/0", "val/0");
        Assert.That(
            Listed().Split(Wanted, 1).Notes,
            Is.EqualTo(
                new[]
                {
                    $"extra in {_folder.Path} is not read: the parts are called train, val, test",
                    $"val in {_folder.Path} is not read: valid is",
                }
            )
        );
    }

    [Test]
    public void Parts_may_be_written_in_capitals_and_with_ing()
    {
        WriteAll("Training/a/0", "Training/b/0", "Test/a/0", "Test/b/0", "VALIDATION/a/0", "VALIDATION/b/0");
        var split = Listed().Split(Wanted, 1);
        Assert.That((split.Train.Count, split.Validation!.Count, split.Test.Count), Is.EqualTo((2, 2, 2)));
        Assert.That(split.Notes, Is.Empty);
    }

    /// <summary>Archives are often unpacked into a folder of their own name.</summary>
    [Test]
    public void One_class_is_refused_and_the_folder_below_is_named()
    {
        WriteAll("photos/a/0", "photos/a/1", "photos/b/0", "photos/b/1");
        var error = Assert.Throws<InputError>(() => Listed().Split(Wanted, 1))!;
        Assert.That(error.Message, Does.Contain("its only class folder is photos"));
        Assert.That(error.Help, Does.EndWith(_folder.File("photos")));
    }

    /// <summary>Vehicles: a train is a class as a car is.</summary>
    [Test]
    public void A_class_may_be_called_train()
    {
        WriteAll("train/0", "train/1", "car/0", "car/1");
        Assert.That(Listed().Split(Wanted, 1).Train.ClassNames, Is.EqualTo(new[] { "car", "train" }));
    }

    [Test]
    public void Images_of_any_depth_belong_to_the_class_above_them()
    {
        WriteAll("apple/0", "apple/phone/1", "apple/phone/2024/2", "berry/0", "berry/.hidden/9", "berry/phone/1");
        var split = Listed().Split(Wanted, 1);
        Assert.That(split.Train.Count + split.Test.Count, Is.EqualTo(5));
        Assert.That(split.Train.ClassNames, Is.EqualTo(new[] { "apple", "berry" }));
    }

    [Test]
    public void Images_beside_the_class_folders_are_counted()
    {
        WriteAll("a/0", "a/1", "b/0", "b/1", "stray", "other");
        Assert.That(
            Listed().Split(Wanted, 1).Notes,
            Has.One.EqualTo($"2 images in {_folder.Path} are in no class folder and left out")
        );
    }

    [Test]
    public void A_folder_of_images_without_classes_is_told_from_an_empty_one()
    {
        WriteAll("0", "1");
        Refused("its 2 images are in no class folder");
    }

    /// <summary>A Mac writes Ä as A and ¨; Linux as one letter. Both are one class.</summary>
    [Test]
    public void Names_in_two_Unicode_forms_are_one_class()
    {
        WriteAll("train/\u00c4pfel/0", "train/\u00d6l/0", "test/A\u0308pfel/0", "test/O\u0308l/0");
        var split = Listed().Split(Wanted, 1);
        Assert.That(split.Train.ClassNames, Is.EqualTo(new[] { "\u00c4pfel", "\u00d6l" }));
        Assert.That((split.Test.Count, split.Test.Label(0), split.Test.Label(1)), Is.EqualTo((2, 0, 1)));
    }

    [Test]
    public void Links_that_lead_back_are_followed_once()
    {
        WriteAll("real/0", "real/1", "real/deep/2");
        Directory.CreateSymbolicLink(_folder.File("real/deep/up"), "..");
        Directory.CreateSymbolicLink(_folder.File("real/top"), _folder.Path);
        Directory.CreateSymbolicLink(_folder.File("linked"), _folder.File("real"));
        var split = Listed().Split(Wanted, 1);
        Assert.That(split.Train.ClassNames, Is.EqualTo(new[] { "linked", "real" }));
        Assert.That(split.Train.Count + split.Test.Count, Is.EqualTo(6));
    }

    /// <summary>A name that another begins with is another folder: its images were once passed over without a word.</summary>
    [Test]
    public void A_link_to_a_folder_whose_name_is_the_beginning_of_this_ones_is_followed()
    {
        WriteAll("store/img/9", "set/a/0", "set/a/1", "set/b/0", "set/b/1");
        Directory.Move(_folder.File("set"), _folder.File("store/img-set"));
        Directory.CreateSymbolicLink(_folder.File("store/img-set/a/more"), _folder.File("store/img"));
        var split = ImageListing.Read(_folder.File("store/img-set")).Split(Wanted, 1);
        Assert.That(split.Train.Count + split.Test.Count, Is.EqualTo(5));
        Assert.That(FolderWalk.IsWithin("/a/b-c", "/a/b"), Is.False);
        Assert.That(FolderWalk.IsWithin("/a/b/c", "/a/b") && FolderWalk.IsWithin("/a", "/"), Is.True);
    }

    [Test]
    public void Folders_nested_beyond_what_a_path_can_hold_are_named()
    {
        WriteAll("a/0", "a/1", "b/0");
        string half = string.Join('/', Enumerable.Repeat(new string('d', 200), 15));
        string deep = $"cd '{_folder.File("b")}' && mkdir -p {half} && cd {half} && mkdir -p {half}";
        System.Diagnostics.Process.Start("bash", ["-c", deep]).WaitForExit();
        try
        {
            var error = Assert.Throws<InputError>(() => Listed())!;
            Assert.That(error.Message, Does.Contain("is too long").And.Length.LessThan(200));
        }
        finally
        {
            System.Diagnostics.Process.Start("rm", ["-rf", _folder.File("b")]).WaitForExit();
        }
    }

    [Test]
    public void Parts_with_different_classes_are_refused_or_said()
    {
        WriteAll("train/a/0", "train/b/0", "test/b/0");
        Refused("test: it has no folder for a");
        var split = ImageListing.Read(_folder.Path, Lenient).Split(Wanted, 1);
        Assert.That(split.Test.Label(0), Is.EqualTo(1), "b is the second class though a has no folder there");
        Assert.That(split.Notes.Single(), Does.EndWith("test has no images of a"));
    }

    [Test]
    public void What_tests_a_trained_network_is_all_of_a_folder_or_its_test_images()
    {
        WriteAll("a/0", "a/1", "b/0", "b/1", "b/2");
        Assert.That(Listed().ForTest(Wanted).Images.Count, Is.EqualTo(5));
        Assert.That(Listed().ForTest(Wanted).Notes[0], Does.Contain("all 5 images"));
        using var other = new TestFolder();
        foreach (string name in (string[])["train/a/0.png", "train/a/1.png", "test/a/0.png"])
            other.Write(name, TestImages.Png(Wanted));
        Assert.That(ImageListing.Read(other.Path).ForTest(Wanted).Images.Count, Is.EqualTo(1));
        Directory.Delete(other.File("train"), recursive: true);
        Assert.That(ImageListing.Read(other.Path).ForTest(Wanted).Images.Count, Is.EqualTo(1));
        Assert.That(
            () => ImageListing.Read(other.Path).Split(Wanted, 1),
            Throws.TypeOf<InputError>().With.Message.Contains("none to train")
        );
    }

    [Test]
    public void Labels_are_found_by_the_names_of_classes()
    {
        WriteAll("cedar/0", "berry/0", "berry/1");
        string[] classes = ["apple", "berry", "cedar"];
        var images = ImagesByClassName.Of(Listed().ForTest(Wanted).Images, classes, "photos");
        Assert.That(Enumerable.Range(0, 3).Select(images.Label), Is.EqualTo(new[] { 1, 1, 2 }));
        Assert.That(images.Absent, Is.EqualTo(new[] { "apple" }));
        Assert.That(
            () => ImagesByClassName.Of(images, ["apple", "berry"], "photos"),
            Throws
                .TypeOf<InputError>()
                .With.Message.EqualTo("photos: the network does not know the class cedar; it knows apple, berry")
        );
    }

    [Test]
    public void An_empty_folder_has_no_classes() => Refused("no class folders");

    [Test]
    public void An_empty_class_is_named()
    {
        _folder.Write("a/0.png", TestImages.Png(Wanted));
        Directory.CreateDirectory(_folder.File("b"));
        Directory.CreateDirectory(_folder.File("c"));
        Refused("there are no images of b, c");
        WriteAll("a/1");
        var split = ImageListing.Read(_folder.Path, Lenient).Split(Wanted, 1);
        Assert.That(split.Train.ClassNames, Is.EqualTo(new[] { "a", "b", "c" }));
        Assert.That(split.Notes, Has.One.EqualTo($"{_folder.Path} has no images of b, c"));
    }

    [Test]
    public void All_damaged_images_are_named_at_once_or_left_out()
    {
        for (int i = 0; i < 10; i++)
        {
            _folder.Write($"train/a/{i}.png", TestImages.Png(Wanted, (ulong)i));
            _folder.Write($"test/a/{i}.png", TestImages.Png(Wanted, (ulong)i));
        }
        WriteAll("train/b/0", "test/b/0");
        _folder.Write("train/a/3.png", TestImages.Png(Wanted)[..60]);
        _folder.Write("train/a/5.png", []);
        _folder.Write("test/a/7.png", "no image"u8.ToArray());
        var error = Assert.Throws<UnreadableImages>(() => new DataCatalog().Open(_folder.Path, Wanted))!;
        foreach (string name in (string[])["train/a/3.png", "train/a/5.png", "test/a/7.png"])
            Assert.That(error.Message, Does.Contain(_folder.File(name)));

        DataSet Open(int skip) =>
            new DataCatalog().Open(_folder.Path, Wanted, options: new FolderOptions { SkipDamaged = skip });
        Assert.That(() => Open(2), Throws.TypeOf<UnreadableImages>().With.Message.Contains("2 may be left out"));
        var data = Open(3);
        Assert.That((data.Train.Count, data.Test.Count), Is.EqualTo((9, 10)));
        Assert.That(data.LeftOut, Is.EquivalentTo(new[] { "train/a/3.png", "train/a/5.png", "test/a/7.png" }));
        // A resumed run leaves the same out, and any other damage is an error again.
        var resumed = new DataCatalog().Open(
            _folder.Path,
            Wanted,
            options: new FolderOptions { LeftOut = data.LeftOut }
        );
        Assert.That(resumed.Fingerprint, Is.EqualTo(data.Fingerprint));
        _folder.Write("train/a/0.png", TestImages.Png(Wanted)[..60]);
        Assert.That(
            () => new DataCatalog().Open(_folder.Path, Wanted, options: new FolderOptions { LeftOut = data.LeftOut }),
            Throws.TypeOf<UnreadableImages>()
        );
    }

    [Test]
    public void A_pipe_among_the_images_is_not_waited_for()
    {
        WriteAll("a/0", "a/1", "b/0", "b/1");
        string pipe = _folder.File("a/2.png");
        System.Diagnostics.Process.Start("mkfifo", pipe).WaitForExit();
        Assert.That(
            () => new DataCatalog().Open(_folder.Path, Wanted),
            Throws.TypeOf<UnreadableImages>().With.Message.Contains("2.png is a pipe")
        );
    }

    [Test]
    public void A_corrupt_image_is_named_when_it_is_read()
    {
        _folder.Write("a/0.png", TestImages.Png(Wanted));
        _folder.Write("a/1.png", TestImages.Png(Wanted)[..60]);
        WriteAll("b/0", "b/1");
        var error = Assert.Throws<UnreadableImages>(() => new DataCatalog().Open(_folder.Path, Wanted))!;
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
        foreach (string name in (string[])["a/0", "a/1", "b/0", "b/1"])
            _folder.Write(name + ".png", png);
        var image = TestImages.Read(ImageListing.Read(_folder.Path).Split(new ImageShape(3, 7, 7), 1).Train, 0);
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
        WriteAll("images/b/0", "images/b/1");
        var statistics = new FolderStatistics(new DataCache(_folder.File("cache")));
        var images = ImageListing.Read(_folder.File("images")).Split(Wanted, 1).Train;
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

    private static readonly FolderOptions Lenient = new() { AllowEmptyClasses = true };

    private ImageListing Listed() => ImageListing.Read(_folder.Path);

    private void WriteAll(params string[] names)
    {
        foreach (string name in names)
            _folder.Write(name + ".png", TestImages.Png(Wanted));
    }

    private void Refused(string why) =>
        Assert.That(
            () => ImageListing.Read(_folder.Path).Split(Wanted, 1),
            Throws.TypeOf<InputError>().With.Message.Contains(why)
        );
}
