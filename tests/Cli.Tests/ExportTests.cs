using System.Text;

namespace CnnSpec.Cli.Tests;

public class ExportTests
{
    [Test]
    public void A_trained_run_becomes_a_model_and_weights_that_predict_alike()
    {
        using var tool = new Tool();
        string spec = tool.Write(
            "small.cnn",
            """
            network Small {
              input 1 x 28 x 28
              conv(4, kernel=5, stride=3); batch_norm; relu; flatten; linear(10)
            }
            train { data = shapes(train_images=200, test_images=40); epochs = 1; optimizer = sgd(lr=0.1) }
            """
        );
        Assert.That(tool.Run("train", spec, "--out", "run").Code, Is.Zero);

        var model = tool.Run("export", "run", "--out", "net.onnx", "--preprocess", "--softmax", "--fold");
        Assert.That(model.Code, Is.Zero, model.Errors);
        Assert.That(model.Output, Is.EqualTo("net.onnx: Small, [batch, 1, 28, 28] -> [batch, 10]\n"));
        string content = Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(tool.Folder, "net.onnx")));
        Assert.That(content, Does.Contain("class_names").And.Contain("triangle").And.Contain("probabilities"));

        Assert.That(tool.Run("export", "run", "--out", "net.pth").Code, Is.Zero);
        Assert.That(tool.Run("export", spec, "--weights", "net.pth", "--out", "back.npz").Code, Is.Zero);
        Assert.That(tool.Run("export", spec, "--weights", "back.npz", "--out", "back.safetensors").Code, Is.Zero);
        Assert.That(tool.Run("export", "run", "--out", "straight.safetensors").Code, Is.Zero);
        Assert.That(
            File.ReadAllBytes(Path.Combine(tool.Folder, "back.safetensors")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(tool.Folder, "straight.safetensors")))
        );
    }

    [TestCase(2, "--to", "net.xyz")]
    [TestCase(2, "are for onnx", "net.npz", "--fold")]
    [TestCase(3, "cannot be written", "nowhere/net.onnx")]
    [TestCase(1, "statistics of its data set", "net.onnx", "--preprocess")]
    public void What_cannot_be_exported_is_refused_in_words(int code, string words, string path, params string[] more)
    {
        using var tool = new Tool();
        var done = tool.Run(["export", Tool.Spec("mnist/lenet5.cnn"), "--out", path, .. more]);
        Assert.That(done.Code, Is.EqualTo(code));
        Assert.That(done.Errors, Does.Contain(words));
        Assert.That(Directory.GetFiles(tool.Folder), Is.Empty);
        done.ShowsNoInternals();
    }
}
