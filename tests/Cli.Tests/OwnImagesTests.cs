using System.Diagnostics;
using System.Text.Json.Nodes;
using CnnSpec.Data;

namespace CnnSpec.Cli.Tests;

/// <summary>What people come for: a network on their own photographs, with the commands of docs/own-images.md.</summary>
public class OwnImagesTests
{
    private static readonly string[] Fruit = ["apple", "berry", "cedar"];

    /// <summary>Photographs of one colour each with noise, of mixed sizes, so that a network learns them at once.</summary>
    private static void Photos(Tool tool, string folder, IReadOnlyList<string> classes, int each = 12)
    {
        for (int label = 0; label < classes.Count; label++)
        for (int i = 0; i < each; i++)
            Photo(tool, $"{folder}/{classes[label]}/{i:00}.png", label, i);
    }

    private static void Photo(Tool tool, string name, int label, int seed)
    {
        var random = new Random(1000 * label + seed);
        var shape = new ImageShape(3, 30 + seed % 5 * 7, 40 + seed % 3 * 9);
        var pixels = new byte[shape.Size];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(random.Next(60) + ((i / shape.PlaneSize + label) % 3 == 0 ? 180 : 20 * label));
        string path = Path.Combine(tool.Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, ImageDecoder.EncodePng(new Raster(shape, pixels)));
    }

    private const string Net = """
        network Net(classes = 10) {
          input 3 x 16 x 24
          conv(8, kernel=3, padding=1); relu; max_pool(2)
          flatten; linear(classes)
        }
        train { data = cifar10(validation=5000); normalize = dataset(); optimizer = adam(lr=0.01); epochs = 3; batch = 8 }
        """;

    private static Finished Trained(Tool tool, params string[] more)
    {
        Photos(tool, "photos", Fruit);
        return tool.Run(["train", tool.Write("net.cnn", Net), "--out", "run", "--precision", "fp32", .. more]);
    }

    private static JsonNode Json(Tool tool, string file) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(tool.Folder, file)))!;

    [Test]
    public void The_whole_way_from_photographs_to_a_fine_tuned_network()
    {
        using var tool = new Tool();
        Photos(tool, "photos", Fruit, each: 20);
        Assert.That(tool.Run("new", "mine.cnn").Code, Is.Zero);
        // Stopped, and gone on with.
        using var process = tool.Start("train", "mine.cnn", "--data", "photos", "--out", "run", "--epochs", "60");
        var clock = Stopwatch.StartNew();
        while (
            !Directory.Exists(Path.Combine(tool.Folder, "run", "checkpoints"))
            && !process.HasExited
            && clock.Elapsed.TotalSeconds < 60
        )
            Thread.Sleep(5);
        Tool.Interrupt(process);
        var stopped = Tool.Finish(process);
        Assert.That(stopped.Code, Is.EqualTo(130), stopped.Errors);
        Assert.That(stopped.Errors, Does.Contain("note: classes=3, as many as"));
        Assert.That(stopped.Errors, Does.Contain("cnnspec train --resume run"));

        var resumed = tool.Run("train", "--resume", "run");
        Assert.That(resumed.Code, Is.Zero, resumed.Errors);

        var tested = tool.Run("eval", "run");
        Assert.That(tested.Code, Is.Zero, tested.Errors);
        Assert.That(tested.Output, Does.Contain("apple").And.Contain("test accuracy: "));

        var predicted = tool.Run("predict", "run", "photos/berry", "--format", "json", "--top", "1");
        Assert.That(predicted.Code, Is.Zero, predicted.Errors);
        Assert.That(JsonNode.Parse(predicted.Output)!.AsArray(), Has.Count.EqualTo(20));

        Photos(tool, "animals", ["ant", "bee", "cat", "dog", "eel"]);
        var tuned = tool.Run([
            "train",
            "mine.cnn",
            "--data",
            "animals",
            "--from",
            "run",
            "--partial",
            "--epochs",
            "2",
            "--out",
            "tuned",
        ]);
        Assert.That(tuned.Code, Is.Zero, tuned.Errors);
        Assert.That(tuned.Errors, Does.Contain("note: classes=5"));
        Assert.That(File.ReadAllText(Path.Combine(tool.Folder, "tuned", "report.html")), Does.Contain("eel"));
    }

    [Test]
    public void Data_that_are_named_replace_those_of_the_recipe_and_tell_the_number_of_classes()
    {
        using var tool = new Tool();
        var done = Trained(tool, "--data", "photos");
        Assert.That(done.Code, Is.Zero, done.Errors);
        Assert.That(done.Errors, Does.Contain("note: classes=3, as many as").And.Contain("photos has"));
        // A tenth of the thirty training images, as of CIFAR-10's fifty thousand.
        Assert.That(done.Errors, Does.Contain("training on 27 images + 3 for validation"));
        Assert.That(done.LastLine, Is.EqualTo("test accuracy: 1.0000"));
        Assert.That(Json(tool, "run/network.json")["class_names"]!.AsArray().Count, Is.EqualTo(3));
    }

    [TestCase("classes=5")]
    public void A_number_of_classes_that_is_not_that_of_the_data_is_refused(string set)
    {
        using var tool = new Tool();
        var done = Trained(tool, "--data", "photos", "--set", set);
        Assert.That(done.Code, Is.EqualTo(1));
        Assert.That(
            done.Errors,
            Does.Contain("E0404").And.Contain("photos has 3 classes, and the network's head gives 5")
        );
        Assert.That(Directory.Exists(Path.Combine(tool.Folder, "run")), Is.False);
    }

    [Test]
    public void A_head_of_fixed_width_is_told_whether_it_is_too_wide_or_too_narrow()
    {
        using var tool = new Tool();
        Photos(tool, "photos", Fruit, each: 2);
        foreach (int outputs in new[] { 2, 10 })
        {
            string spec = tool.Write("fixed.cnn", $"network N {{ input 3 x 8 x 8; flatten; linear({outputs}) }}");
            var done = tool.Run("train", spec, "--data", "photos");
            Assert.That(done.Code, Is.EqualTo(1));
            Assert.That(done.Errors, Does.Contain($"has 3 classes, and the network's head gives {outputs} outputs"));
        }
    }

    [Test]
    public void A_recipe_of_a_folder_is_checked_against_it_beside_the_spec()
    {
        using var tool = new Tool();
        Photos(tool, "nets/photos", Fruit, each: 6);
        string spec = tool.Write("nets/net.cnn", Net.Replace("cifar10(validation=5000)", "folder(\"photos\")"));
        var check = tool.Run("check", spec);
        Assert.That(check.Code, Is.Zero, check.Errors);
        string fixedHead = tool.Write(
            "nets/fixed.cnn",
            File.ReadAllText(spec).Replace("linear(classes)", "linear(10)").Replace("(classes = 10)", "")
        );
        var wrong = tool.Run("check", fixedHead);
        Assert.That(wrong.Code, Is.EqualTo(1));
        Assert.That(wrong.Errors, Does.Contain("E0404").And.Contain("has 3 classes, and the network's head gives 10"));
        // Training takes what the folder says.
        var done = tool.Run("train", spec, "--out", "run", "--epochs", "1");
        Assert.That(done.Code, Is.Zero, done.Errors);
        Assert.That(done.Errors, Does.Contain("note: classes=3"));
        Directory.Delete(Path.Combine(tool.Folder, "nets/photos"), recursive: true);
        var missing = tool.Run("check", spec);
        Assert.That((missing.Code, missing.Errors.Contains("W0108")), Is.EqualTo((0, true)), missing.Errors);
    }

    [Test]
    public void Evaluation_finds_classes_by_name_and_tests_every_image_of_a_new_folder()
    {
        using var tool = new Tool();
        Assert.That(Trained(tool, "--data", "photos").Code, Is.Zero);
        Photos(tool, "new", ["apple", "berry", "cedar"], each: 5);
        Directory.Delete(Path.Combine(tool.Folder, "new", "apple"), recursive: true);
        var done = tool.Run("eval", "run", "--data", "new", "--format", "json");
        Assert.That(done.Code, Is.Zero, done.Errors);
        var json = JsonNode.Parse(done.Output)!;
        Assert.That((json["images"]!.GetValue<int>(), json["accuracy"]!.GetValue<double>()), Is.EqualTo((10, 1.0)));
        Assert.That(done.Errors, Does.Contain("all 10 images").And.Contain("no images of apple"));

        Photos(tool, "new", ["apple", "berry", "cedar", "date"], each: 2);
        var unknown = tool.Run("eval", "run", "--data", "new");
        Assert.That(unknown.Code, Is.EqualTo(1));
        Assert.That(
            unknown.Errors,
            Does.Contain("the network does not know the class date; it knows apple, berry, cedar")
        );

        // In the folder that it was trained on, however it is written, only its own test images are new to it.
        Directory.CreateSymbolicLink(Path.Combine(tool.Folder, "linked"), "photos");
        foreach (string name in new[] { "photos", "photos/", "./new/../photos", "linked" })
        {
            var own = tool.Run("eval", "run", "--data", name, "--format", "json");
            Assert.That(JsonNode.Parse(own.Output)!["images"]!.GetValue<int>(), Is.EqualTo(6), name);
        }
        Photo(tool, "photos/apple/more.png", 0, 99);
        Assert.That(tool.Run("eval", "run").Errors, Does.Contain("have changed since the run began"));
        File.Delete(Path.Combine(tool.Folder, "photos/apple/more.png"));

        // Where the folder was moved it is named anew, and must hold the same images.
        Directory.Move(Path.Combine(tool.Folder, "photos"), Path.Combine(tool.Folder, "moved"));
        var lost = tool.Run("train", "--resume", "run");
        Assert.That((lost.Code, lost.Errors.Contains("there is no folder")), Is.EqualTo((1, true)), lost.Errors);
        Assert.That(tool.Run("train", "--resume", "run", "--data", "new").Code, Is.EqualTo(1));
        Assert.That(tool.Run("train", "--resume", "run", "--data", "moved").Code, Is.Zero);
        Assert.That(tool.Run("eval", "run").Code, Is.Zero, "the run knows where they are now");

        tool.Write("flat/readme.txt", "");
        Photo(tool, "flat/0.png", 0, 0);
        var flat = tool.Run("eval", "run", "--data", "flat");
        Assert.That((flat.Code, flat.Errors.Contains("in no class folder")), Is.EqualTo((1, true)), flat.Errors);
    }

    [Test]
    public void Damaged_images_are_named_all_at_once_or_left_out_and_listed()
    {
        using var tool = new Tool();
        Photos(tool, "photos", Fruit);
        tool.Write("photos/apple/02.png", "no image");
        tool.Write("photos/cedar/11.png", "");
        var refused = Trained(new Tool(), "--data", Path.Combine(tool.Folder, "photos"));
        Assert.That(refused.Code, Is.EqualTo(1));
        Assert.That(
            refused.Errors,
            Does.Contain("apple/02.png").And.Contain("cedar/11.png").And.Contain("--skip-damaged 2")
        );

        string spec = tool.Write("net.cnn", Net);
        var done = tool.Run("train", spec, "--data", "photos", "--skip-damaged", "2", "--out", "run", "--epochs", "1");
        Assert.That(done.Code, Is.Zero, done.Errors);
        Assert.That(done.Errors, Does.Contain("left out, for they cannot be decoded: apple/02.png, cedar/11.png"));
        Assert.That(
            Json(tool, "run/network.json")["left_out"]!.ToJsonString(),
            Is.EqualTo("[\"apple/02.png\",\"cedar/11.png\"]")
        );
        Assert.That(tool.Run("eval", "run").Code, Is.Zero);
        Assert.That(tool.Run("train", "--resume", "run").Code, Is.Zero);
    }

    [Test]
    public void A_run_neither_overwrites_files_of_others_nor_lies_among_the_images()
    {
        using var tool = new Tool();
        Photos(tool, "photos", Fruit, each: 4);
        string spec = tool.Write("net.cnn", Net);
        tool.Write("mine/notes.txt", "");
        foreach (
            var (folder, why) in new[]
            {
                ("mine", "mine holds other files"),
                ("photos/run", "would lie among the images"),
            }
        )
        {
            var done = tool.Run("train", spec, "--data", "photos", "--out", folder);
            Assert.That((done.Code, done.Errors.Contains(why)), Is.EqualTo((1, true)), done.Errors);
        }
        Assert.That(Directory.Exists(Path.Combine(tool.Folder, "photos/run")), Is.False);
        Assert.That(tool.Run("train", spec, "--data", "photos", "--out", "photos-run", "--epochs", "1").Code, Is.Zero);
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(tool.Folder, "mine")), Has.Length.EqualTo(1));
    }

    [Test]
    public void As_many_other_classes_are_told_when_a_head_is_taken_over()
    {
        using var tool = new Tool();
        Assert.That(Trained(tool, "--data", "photos", "--epochs", "1").Code, Is.Zero);
        Photos(tool, "animals", ["ant", "bee", "cat"], each: 5);
        var tuned = tool.Run(
            "train",
            "net.cnn",
            "--data",
            "animals",
            "--from",
            "run",
            "--epochs",
            "1",
            "--out",
            "tuned"
        );
        Assert.That(tuned.Code, Is.Zero, tuned.Errors);
        Assert.That(tuned.Errors, Does.Contain("those of apple, berry, cedar and begin as ant, bee, cat"));
    }

    [Test]
    public void Empty_and_unbalanced_classes_are_told()
    {
        using var tool = new Tool();
        Photos(tool, "photos", Fruit, each: 5);
        Photos(tool, "photos", ["apple"], each: 20);
        Directory.CreateDirectory(Path.Combine(tool.Folder, "photos", "date"));
        string spec = tool.Write("net.cnn", Net);
        var empty = tool.Run("train", spec, "--data", "photos", "--out", "run", "--epochs", "1");
        Assert.That(empty.Code, Is.EqualTo(1));
        Assert.That(empty.Errors, Does.Contain("no images of date").And.Contain("--allow-empty-classes"));
        var kept = tool.Run(
            "train",
            spec,
            "--data",
            "photos",
            "--out",
            "run",
            "--epochs",
            "1",
            "--allow-empty-classes"
        );
        Assert.That(kept.Code, Is.Zero, kept.Errors);
        Assert.That(kept.Errors, Does.Contain("note: classes=4"));
        Assert.That(
            kept.Errors,
            Does.Contain("note: training images of each class: apple").And.Contain("class_weights=balanced")
        );
    }

    [Test]
    public void Weights_for_a_spec_get_the_pixels_that_they_were_trained_on()
    {
        using var tool = new Tool();
        Photos(tool, "photos", Fruit);
        string text = Net.Replace("dataset()", "by_channel(mean=0.4, std=0.2)")
            .Replace("classes = 10", "classes = 3")
            .Replace("cifar10(validation=5000)", "folder(\"photos\")");
        string spec = tool.Write("net.cnn", text);
        Assert.That(tool.Run("train", spec, "--out", "run", "--precision", "fp32").Code, Is.Zero);
        string Guess(params string[] arguments)
        {
            var done = tool.Run(["predict", .. arguments, "photos/berry/03.png", "--format", "json"]);
            Assert.That(done.Code, Is.Zero, done.Errors);
            return JsonNode.Parse(done.Output)![0]!["guesses"]![0]!["probability"]!.ToJsonString();
        }
        const string weights = "run/best.safetensors";
        string right = Guess("run");
        Assert.That(Guess("net.cnn", "--weights", weights), Is.EqualTo(right), "as the recipe says");
        string other = tool.Write("other.cnn", text.Replace("by_channel(mean=0.4, std=0.2)", "dataset()"));
        Assert.That(Guess(other, "--weights", weights), Is.Not.EqualTo(right), "pixels from 0 to 1");
        Assert.That(
            tool.Run("predict", other, "--weights", weights, "photos/berry/03.png").Errors,
            Does.Contain("--normalize says another")
        );
        Assert.That(
            Guess(other, "--weights", weights, "--normalize", "by_channel(mean=0.4, std=0.2)"),
            Is.EqualTo(right)
        );
        string wide = tool.Write("wide.cnn", text.Replace("classes = 3", "classes = 30"));
        Assert.That(Guess(wide, "--weights", weights, "--set", "classes=3"), Is.EqualTo(right));
        var wrong = tool.Run("predict", other, "--weights", weights, "--normalize", "imagnet()", "photos/berry/03.png");
        Assert.That(
            (wrong.Code, wrong.Errors.Contains("did you mean 'imagenet'?")),
            Is.EqualTo((1, true)),
            wrong.Errors
        );
    }
}
