using System.Text.Json.Nodes;

namespace CnnSpec.Cli.Tests;

public class BenchTests
{
    [TestCase("fp32")]
    [TestCase("bf16")]
    public void A_benchmark_measures_training_inference_memory_and_each_layer(string precision)
    {
        using var tool = new Tool();
        var done = tool.Run([
            "bench",
            Tool.Spec("mnist/lenet5.cnn"),
            .. new[] { "--batch", "8", "--steps", "3", "--threads", "1", "--layers" },
            .. new[] { "--precision", precision, "--format", "json" },
        ]);
        Assert.That(done.Code, Is.Zero, done.Errors);
        var json = JsonNode.Parse(done.Output)!;
        Assert.That(json["precision"]!.GetValue<string>(), Is.EqualTo(precision));
        foreach (string part in new[] { "training", "inference" })
        {
            double rate = json[part]!["images_per_second"]!.GetValue<double>();
            Assert.That(rate * json[part]!["step_seconds"]!.GetValue<double>(), Is.EqualTo(8).Within(1e-6), part);
        }
        Assert.That(json["peak_memory_bytes"]!.GetValue<long>(), Is.GreaterThan(10_000_000));
        var convolution = json["layers"]!.AsArray().First(layer => layer!["operation"]!.GetValue<string>() == "conv")!;
        // 28 x 28 places, 6 filters of 5 x 5, a product and a sum each, 8 images.
        Assert.That(convolution["flops"]!.GetValue<double>(), Is.EqualTo(2.0 * 28 * 28 * 6 * 25 * 8));
    }

    [Test]
    public void A_network_without_classes_is_refused_in_words()
    {
        using var tool = new Tool();
        string spec = tool.Write("map.cnn", "network N {\n  input 3 x 20 x 28\n  conv(8, kernel=3)\n}\n");
        var done = tool.Run("bench", spec);
        Assert.That(done.Code, Is.EqualTo(1));
        Assert.That(done.Errors, Does.Contain("not a number for each class").And.Contain("help:"));
        done.ShowsNoInternals();
    }

    [Test]
    public void Too_little_memory_is_said_in_words()
    {
        using var tool = new Tool();
        var done = tool.Run(
            "bench",
            Tool.Spec("mnist/lenet5.cnn"),
            "--input",
            "1x2048x2048",
            "--batch",
            "65536",
            "--steps",
            "1"
        );
        Assert.That(done.Code, Is.EqualTo(3), done.Errors);
        Assert.That(done.Errors, Does.Contain("not enough memory").And.Contain("--batch"));
        done.ShowsNoInternals();
    }

    [Test]
    public void A_device_that_is_not_there_is_named_with_what_to_do()
    {
        using var tool = new Tool();
        // No machine has so many.
        var done = tool.Run("bench", Tool.Spec("mnist/lenet5.cnn"), "--device", "cuda:99");
        Assert.That(done.Code, Is.EqualTo(3), done.Errors);
        Assert.That(done.Errors, Does.Contain("cuda:99").And.Contain("--device cpu"));
        done.ShowsNoInternals();
    }

    [TestCase("gpu")]
    [TestCase("cuda:")]
    [TestCase("cuda:-1")]
    public void What_is_no_device_is_a_usage_error(string name)
    {
        using var tool = new Tool();
        var done = tool.Run("train", Tool.Spec("mnist/lenet5.cnn"), "--device", name);
        Assert.That(done.Code, Is.EqualTo(2), done.Errors);
        Assert.That(done.Errors, Does.Contain(name).And.Contain("cuda:1"));
    }

    [Test]
    public void An_unknown_precision_is_a_usage_error()
    {
        using var tool = new Tool();
        Assert.That(tool.Run("bench", Tool.Spec("mnist/lenet5.cnn"), "--precision", "fp8").Code, Is.EqualTo(2));
    }
}
