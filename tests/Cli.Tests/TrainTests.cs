using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CnnSpec.Data;

namespace CnnSpec.Cli.Tests;

public class TrainTests
{
    private const string SmallNet = """
        network Small(classes = 10) {
          input 1 x 20 x 28
          conv(4, kernel=3); relu; max_pool(2)
          conv(8, kernel=3); batch_norm; relu; max_pool(2)
          flatten
          linear(classes)
        }
        train { data = shapes(train_images=512, test_images=256, validation=64); normalize = dataset()
          optimizer = adam(lr=0.01); epochs = 2; batch = 64 }
        """;

    private static Finished Train(Tool tool, string folder, params string[] more) =>
        tool.Run(["train", tool.Write("small.cnn", SmallNet), "--out", folder, .. more]);

    /// <summary>As on a machine without a C++ compiler: slower, and the same network.</summary>
    [Test]
    public void Without_native_kernels_a_note_says_so_and_training_goes_on()
    {
        using var tool = new Tool();
        double Loss(string folder) =>
            JsonNode.Parse(File.ReadLines(Path.Combine(tool.Folder, folder, "metrics.jsonl")).First())![
                "train_loss"
            ]!.GetValue<double>();
        var native = Train(tool, "native", "--precision", "fp32", "--epochs", "1");
        Assert.That(native.Code, Is.Zero, native.Errors);
        Assert.That(native.Errors, Does.Not.Contain("native kernels"));
        tool.Variables["CNNSPEC_KERNELS"] = "none";
        var composed = Train(tool, "composed", "--precision", "fp32", "--epochs", "1");
        Assert.That(composed.Code, Is.Zero, composed.Errors);
        Assert.That(composed.Errors, Does.Contain("note: without the native kernels"));
        Assert.That(Loss("composed"), Is.EqualTo(Loss("native")).Within(1e-3));
    }

    [Test]
    public void Training_ends_with_the_test_accuracy_and_leaves_a_complete_run_folder()
    {
        using var tool = new Tool();
        var done = Train(tool, "run");
        Assert.That(done.Code, Is.Zero, done.Errors);
        Assert.That(done.LastLine, Does.Match(@"^test accuracy: [01]\.\d{4}$"));

        string run = Path.Combine(tool.Folder, "run");
        string[] files = [.. Directory.GetFiles(run).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        Assert.That(
            files,
            Is.EqualTo(
                new[]
                {
                    "best.safetensors",
                    "events.out.tfevents.cnnspec",
                    "last.safetensors",
                    "metrics.jsonl",
                    "network.json",
                    "report.html",
                    "spec.cnn",
                    "test.json",
                }
            )
        );
        Assert.That(File.ReadAllText(Path.Combine(run, "spec.cnn")), Is.EqualTo(SmallNet));

        var epochs = File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.That(epochs, Has.Count.EqualTo(2));
        foreach (
            string key in new[]
            {
                "epoch",
                "train_loss",
                "train_accuracy",
                "val_accuracy",
                "lr",
                "images_per_second",
                "seconds",
            }
        )
            Assert.That(epochs[1]![key], Is.Not.Null, key);
        Assert.That(
            epochs[1]!["train_loss"]!.GetValue<double>(),
            Is.LessThan(epochs[0]!["train_loss"]!.GetValue<double>())
        );
    }

    [Test]
    public void The_same_seed_gives_the_same_weights_to_the_last_bit()
    {
        using var tool = new Tool();
        Train(tool, "a");
        Train(tool, "b");
        Train(tool, "c", "--seed", "2");
        byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(tool.Folder, run, "last.safetensors"));
        Assert.That(Weights("b"), Is.EqualTo(Weights("a")));
        Assert.That(Weights("c"), Is.Not.EqualTo(Weights("a")));
    }

    [Test]
    public void Evaluation_of_a_run_repeats_its_test_accuracy()
    {
        using var tool = new Tool();
        var trained = Train(tool, "run");
        var done = tool.Run("eval", "run");
        Assert.That(done.Code, Is.Zero, done.Errors);
        Assert.That(done.LastLine, Is.EqualTo(trained.LastLine));

        var json = JsonNode.Parse(tool.Run("eval", "run", "--format", "json").Output)!;
        int counted = json["confusion"]!.AsArray().Sum(pair => pair!["images"]!.GetValue<int>());
        Assert.That(counted, Is.EqualTo(256));
    }

    [Test]
    public void Images_and_arrays_are_predicted_alike()
    {
        using var tool = new Tool();
        Train(tool, "run");
        var shape = new ImageShape(1, 20, 28);
        var pixels = new byte[shape.Size];
        Random.Shared.NextBytes(pixels);
        File.WriteAllBytes(Path.Combine(tool.Folder, "x.png"), ImageDecoder.EncodePng(new Raster(shape, pixels)));

        var predicted = tool.Run("predict", "run", "x.png", "--top", "10", "--format", "json");
        Assert.That(predicted.Code, Is.Zero, predicted.Errors);
        var guesses = JsonNode.Parse(predicted.Output)![0]!["guesses"]!.AsArray();
        Assert.That(guesses, Has.Count.EqualTo(10));
        Assert.That(guesses.Sum(g => g!["probability"]!.GetValue<double>()), Is.EqualTo(1).Within(1e-4));

        // An array of the same pixels, scaled as the run scaled them.
        var scaling = JsonNode.Parse(File.ReadAllText(Path.Combine(tool.Folder, "run", "network.json")))!["scaling"]!;
        float mean = scaling["mean"]![0]!.GetValue<float>();
        float deviation = scaling["deviation"]![0]!.GetValue<float>();
        float[] values = [.. pixels.Select(p => (p / 255f - mean) / deviation)];
        Runtime.Checkpoints.NpyFile.Write(Path.Combine(tool.Folder, "x.npy"), [1, 1, 20, 28], values);
        var logits = tool.Run(
            "predict",
            tool.Write("small.cnn", SmallNet),
            "--weights",
            "run/best.safetensors",
            "--input",
            "x.npy",
            "--output",
            "y.npy"
        );
        Assert.That(logits.Code, Is.Zero, logits.Errors);
        var (outputShape, outputs) = Runtime.Checkpoints.NpyFile.Read(Path.Combine(tool.Folder, "y.npy"));
        Assert.That(outputShape, Is.EqualTo(new long[] { 1, 10 }));
        double total = outputs.Sum(v => Math.Exp(v));
        double best = outputs.Max(v => Math.Exp(v)) / total;
        Assert.That(guesses[0]!["probability"]!.GetValue<double>(), Is.EqualTo(best).Within(1e-4));
    }

    [Test]
    public void A_loss_that_is_lost_stops_the_run_and_names_the_layer()
    {
        using var tool = new Tool();
        var done = Train(tool, "run", "--lr", "1e25");
        Assert.That(done.Code, Is.EqualTo(1), done.Errors);
        Assert.That(done.Errors, Does.Match(@"epoch 1, step \d+: .*\((conv|linear), line \d+ of the spec\)"));
        Assert.That(done.Errors, Does.Contain("--lr"));
        done.ShowsNoInternals();
    }

    [Test]
    public void Overfitting_one_batch_answers_by_its_exit_code_and_leaves_nothing()
    {
        using var tool = new Tool();
        var can = Train(tool, "run", "--overfit-batch");
        Assert.That(can.Code, Is.Zero, can.Errors);
        Assert.That(can.LastLine, Is.EqualTo("the network can learn one batch"));
        var cannot = Train(tool, "run", "--overfit-batch", "10", "--lr", "1e-9");
        Assert.That(cannot.Code, Is.EqualTo(1));
        Assert.That(cannot.LastLine, Does.Contain("10 steps"));
        Assert.That(Directory.Exists(Path.Combine(tool.Folder, "run")), Is.False);
    }

    [Test]
    public void A_folder_with_more_classes_than_the_head_is_refused()
    {
        using var tool = new Tool();
        var shape = new ImageShape(1, 20, 28);
        foreach (string name in new[] { "train/a", "train/b", "train/c", "test/a", "test/b", "test/c" })
        {
            Directory.CreateDirectory(Path.Combine(tool.Folder, "photos", name));
            File.WriteAllBytes(
                Path.Combine(tool.Folder, "photos", name, "1.png"),
                ImageDecoder.EncodePng(new Raster(shape, new byte[shape.Size]))
            );
        }
        string spec = tool.Write("n.cnn", "network N { input 1 x 20 x 28; flatten; linear(2) }");
        var done = tool.Run("train", spec, "--data", "photos", "--out", "run");
        Assert.That(done.Code, Is.EqualTo(1), done.Errors);
        Assert.That(done.Errors, Does.Contain("3 classes").And.Contain("gives 2"));
        Assert.That(Directory.Exists(Path.Combine(tool.Folder, "run")), Is.False);
    }

    [TestCase("truncated")]
    [TestCase("emptied")]
    [TestCase("scribbled")]
    [TestCase("other")]
    public void A_damaged_checkpoint_is_named_and_refused(string damage)
    {
        using var tool = new Tool();
        Train(tool, "run", "--epochs", "1");
        string file = Path.Combine(tool.Folder, "run", "best.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        switch (damage)
        {
            case "truncated":
                File.WriteAllBytes(file, bytes[..(bytes.Length / 2)]);
                break;
            case "emptied":
                File.WriteAllBytes(file, []);
                break;
            case "scribbled":
                bytes.AsSpan(0, 40).Fill(0xEE);
                File.WriteAllBytes(file, bytes);
                break;
            default:
                string spec = tool.Write("other.cnn", SmallNet.Replace("conv(4,", "conv(6,"));
                tool.Run("train", spec, "--out", "other", "--epochs", "1");
                File.Copy(Path.Combine(tool.Folder, "other", "best.safetensors"), file, overwrite: true);
                break;
        }
        var done = tool.Run("eval", "run");
        Assert.That(done.Code, Is.EqualTo(1));
        Assert.That(done.Errors, Does.Contain("best.safetensors").And.Contain("help:"));
        done.ShowsNoInternals();
    }

    [Test]
    public void A_head_of_another_size_than_the_data_is_refused_before_training()
    {
        using var tool = new Tool();
        var done = Train(tool, "run", "--data", "shapes", "--set", "classes=7");
        Assert.That(done.Code, Is.EqualTo(1));
        Assert.That(done.Errors, Does.Contain("10 classes").And.Contain("7"));
        Assert.That(Directory.Exists(Path.Combine(tool.Folder, "run")), Is.False);
    }

    [Test]
    public void A_run_is_never_overwritten_unasked()
    {
        using var tool = new Tool();
        string spec = tool.Write("small.cnn", SmallNet);
        tool.Run("train", spec, "--epochs", "1");
        tool.Run("train", spec, "--epochs", "1");
        Assert.That(Directory.Exists(Path.Combine(tool.Folder, "runs", "small-2")), Is.True);
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_the_machines_fault()
    {
        using var tool = new Tool();
        var done = Train(tool, "/dev/null/run");
        Assert.That(done.Code, Is.EqualTo(3));
        Assert.That(done.Errors, Does.Contain("/dev/null/run").And.Contain("--out"));
        done.ShowsNoInternals();
    }

    [Test]
    public void Without_network_and_npm_a_data_set_says_what_was_tried()
    {
        using var tool = new Tool();
        tool.Variables["CNNSPEC_DATA"] = Path.Combine(tool.Folder, "data");
        string dotnet = Environment.ProcessPath is { } path ? Path.GetDirectoryName(path)! : "/usr/bin";
        tool.Variables["PATH"] = Path.Combine(tool.Folder, "empty") + ":" + dotnet;
        tool.Variables["https_proxy"] = "http://127.0.0.1:9";
        tool.Variables["HTTPS_PROXY"] = "http://127.0.0.1:9";
        var done = tool.Run("data", "get", "mnist");
        Assert.That(done.Code, Is.EqualTo(3), done.Errors);
        Assert.That(done.Errors, Does.Contain("mnist could not be fetched").And.Contain("npm"));
        Assert.That(Directory.EnumerateDirectories(tool.Variables["CNNSPEC_DATA"]!), Is.Empty);
        done.ShowsNoInternals();
    }

    [Test]
    public void Mnist_trains_where_it_is_at_hand()
    {
        Assume.That(
            new DataCatalog().List().Single(s => s.Info.Name == "mnist").Prepared,
            "MNIST has not been fetched here"
        );
        using var tool = new Tool();
        var done = tool.Run("train", Tool.Spec("mnist/lenet5.cnn"), "--limit", "6400", "--epochs", "2", "--out", "run");
        Assert.That(done.Code, Is.Zero, done.Errors);
        var accuracy = Regex.Match(done.LastLine, @"^test accuracy: (\d\.\d{4})$");
        Assert.That(double.Parse(accuracy.Groups[1].Value, CultureInfo.InvariantCulture), Is.GreaterThan(0.9));
    }
}
