using CnnSpec.Data;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Library;

/// <summary>From a spec to a trained network that answers, without the command line.</summary>
public class TrainedRunTests
{
    private const string Text = """
        network N {
          input 1 x 28 x 28
          conv(4, kernel=5, stride=3); batch_norm; relu; flatten; linear(10)
        }
        train { data = shapes(train_images=300, test_images=60); normalize = dataset(); optimizer = adam(lr=0.01) }
        """;

    private static readonly CnnSpec.Runtime.Tests.Data.TestFolder Folder = new();
    private static readonly string RunFolder = Path.Combine(Folder.Path, "run");

    [OneTimeSetUp]
    public async Task Train()
    {
        var told = new List<TrainingEvent>();
        var test = await Trainer.RunAsync(
            Spec.Parse(Text, name: "n.cnn").Network(),
            new TrainerOptions
            {
                Folder = RunFolder,
                Epochs = 2,
                Batch = 50,
            },
            new Direct(told.Add)
        );
        Assert.That(test!.Images, Is.EqualTo(60));
        Assert.That(told.OfType<EpochEnded>().Count(), Is.EqualTo(2));
    }

    [OneTimeTearDown]
    public void Remove() => Folder.Dispose();

    private sealed class Direct(Action<TrainingEvent> tell) : IProgress<TrainingEvent>
    {
        public void Report(TrainingEvent value) => tell(value);
    }

    [Test]
    public void A_built_network_is_a_module_like_any_other()
    {
        using var scope = NewDisposeScope();
        using var network = Spec.Parse(Text).Network().Build(seed: 3);
        using var model = nn.Sequential(("backbone", network), ("head", nn.Linear(10, 2)));
        var optimizer = optim.SGD(model.parameters(), 0.1);
        var before = network.parameters().First().clone();
        model.forward(randn(4, 1, 28, 28)).square().mean().backward();
        optimizer.step();
        Assert.That(network.parameters().First().allclose(before), Is.False);
    }

    [Test]
    public void Files_streams_and_pixels_get_the_same_answer()
    {
        using var run = TrainedRun.Open(RunFolder);
        Assert.That(run.Classes, Has.Count.EqualTo(10));
        byte[] pixels = new byte[28 * 28];
        new Random(5).NextBytes(pixels);
        byte[] png = ImageDecoder.EncodePng(new Raster(new ImageShape(1, 28, 28), pixels));
        string file = Folder.Write("one.png", png);

        var guesses = run.Predict(file, top: 10);
        Assert.That(guesses.Sum(guess => guess.Probability), Is.EqualTo(1).Within(1e-5));
        Assert.That(run.Predict(new MemoryStream(png), top: 10), Is.EqualTo(guesses));
        Assert.That(run.Predict(pixels, 1, 28, 28, top: 10), Is.EqualTo(guesses));
        Assert.Throws<ArgumentException>(() => run.Predict(pixels, 3, 28, 28));
        Assert.Throws<InputError>(() => run.Predict(new MemoryStream([1, 2, 3])));
    }

    [Test]
    public void Many_threads_get_the_answers_of_one()
    {
        using var run = TrainedRun.Open(RunFolder);
        var random = new Random(6);
        byte[][] images =
        [
            .. Enumerable
                .Range(0, 200)
                .Select(_ =>
                {
                    byte[] pixels = new byte[28 * 28];
                    random.NextBytes(pixels);
                    return pixels;
                }),
        ];
        IReadOnlyList<Guess>[] one = [.. images.Select(image => run.Predict(image, 1, 28, 28))];
        var many = new IReadOnlyList<Guess>[images.Length];
        using var fresh = TrainedRun.Open(RunFolder);
        Parallel.For(
            0,
            images.Length,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            i => many[i] = fresh.Predict(images[i], 1, 28, 28)
        );
        for (int i = 0; i < images.Length; i++)
            Assert.That(many[i], Is.EqualTo(one[i]));
    }

    [Test]
    public async Task A_cancelled_training_is_saved_and_says_so()
    {
        using var stop = new CancellationTokenSource();
        string folder = Path.Combine(Folder.Path, "stopped");
        var test = await Trainer.RunAsync(
            Spec.Parse(Text, name: "n.cnn").Network(),
            new TrainerOptions
            {
                Folder = folder,
                Epochs = 50,
                Batch = 50,
            },
            new Direct(told =>
            {
                if (told is StepTaken { Epoch: 1 })
                    stop.Cancel();
            }),
            stop.Token
        );
        Assert.That(test, Is.Null);
        Assert.That(Directory.GetFiles(Path.Combine(folder, "checkpoints"), "step-*"), Is.Not.Empty);
    }

    [Test]
    public void What_does_not_fit_is_said_in_words()
    {
        var network = Spec.Parse(Text, new SpecOptions { Input = [1, 28, 28] }).Network();
        var error = Assert.ThrowsAsync<InputError>(() =>
            Trainer.RunAsync(network, new TrainerOptions { Folder = RunFolder, Epochs = 1 })
        );
        Assert.That(error!.Message, Does.Contain("already holds a run"));
        error = Assert.ThrowsAsync<InputError>(() =>
            Trainer.RunAsync(network, new TrainerOptions { Folder = "x", Recipe = "long" })
        );
        Assert.That(error!.Message, Does.Contain("no recipe called long"));
        Assert.Throws<InputError>(() => TrainedRun.Open(Folder.Path));
    }
}
