using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.LibTorch.Tests.Training;

/// <summary>A run that cannot be repeated cannot be debugged, and one that resumes must go on as if it never stopped.</summary>
[TestFixture]
public sealed class RandomTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Open() => _scope = NewDisposeScope();

    [TearDown]
    public void Close() => _scope.Dispose();

    [Test]
    public void The_same_seed_gives_the_same_numbers()
    {
        manual_seed(42);
        var first = Everything();
        manual_seed(42);
        Assert.That(Everything(), Is.EqualTo(first));
        manual_seed(43);
        Assert.That(Everything(), Is.Not.EqualTo(first));
        Assert.That(initial_seed(), Is.EqualTo(43));
    }

    [Test]
    public void PyTorch_draws_the_same_numbers_from_the_same_seed()
    {
        manual_seed(0);
        // torch.manual_seed(0); torch.rand(3)
        Assert.That(
            rand(3).data<float>().ToArray(),
            Is.EqualTo(new[] { 0.4962566f, 0.7682218f, 0.0884774f }).Within(1e-6f)
        );
    }

    [Test]
    public void The_default_generators_state_can_be_put_back()
    {
        manual_seed(7);
        randn(3);
        var state = Engine.GetRandomState();
        var expected = Everything();
        Engine.SetRandomState(state);
        Assert.That(Everything(), Is.EqualTo(expected));
    }

    [Test]
    public void A_generator_of_ones_own_leaves_the_default_one_alone()
    {
        manual_seed(7);
        var expected = rand(4).data<float>().ToArray();
        manual_seed(7);
        using var own = new Generator(99);
        var drawn = rand(4, generator: own).data<float>().ToArray();
        Assert.That(rand(4).data<float>().ToArray(), Is.EqualTo(expected));
        using var again = new Generator(99);
        Assert.That(rand(4, generator: again).data<float>().ToArray(), Is.EqualTo(drawn));
        var state = Engine.GetRandomState(own);
        var next = randperm(10, generator: own).data<long>().ToArray();
        Engine.SetRandomState(own, state);
        Assert.That(randperm(10, generator: own).data<long>().ToArray(), Is.EqualTo(next));
        Assert.That(own.initial_seed(), Is.EqualTo(99));
    }

    private static float[] Everything() =>
        cat([rand(5), randn(5), functional.dropout(ones(5)), randperm(5, float32), zeros(5).uniform_(-1, 1)])
            .data<float>()
            .ToArray();

    [Test]
    public void Initial_values_have_the_spread_they_claim()
    {
        Seeded.Random();
        var weight = empty(64, 32, 3, 5);
        var (fanIn, fanOut) = init.CalculateFanInAndFanOut(weight);
        Assert.That((fanIn, fanOut), Is.EqualTo((480, 960)));
        AssertSpread(init.kaiming_normal_(weight, nonlinearity: init.NonlinearityType.ReLU), Math.Sqrt(2.0 / 480));
        AssertSpread(
            init.kaiming_normal_(weight, 0, init.FanInOut.FanOut, init.NonlinearityType.ReLU),
            Math.Sqrt(2.0 / 960)
        );
        AssertSpread(init.kaiming_uniform_(weight, Math.Sqrt(5)), Math.Sqrt(1.0 / 3 / 480));
        AssertSpread(init.xavier_normal_(weight, 2), 2 * Math.Sqrt(2.0 / 1440));
        AssertSpread(init.xavier_uniform_(weight), Math.Sqrt(2.0 / 1440));
        AssertSpread(init.normal_(weight, 0, 0.3), 0.3);
        init.trunc_normal_(weight, 0, 1, -0.5, 0.5);
        Assert.That(weight.abs().max().item<float>(), Is.LessThanOrEqualTo(0.5f));
        // A normal distribution cut at half a deviation is nearly flat.
        AssertSpread(weight, 0.2839);
        var square = init.orthogonal_(empty(4, 3, 2));
        var product = square.reshape(4, 6).mm(square.reshape(4, 6).t());
        Assert.That(product.allclose(eye(4), atol: 1e-5));
    }

    private static void AssertSpread(Tensor tensor, double expected) =>
        Assert.That(tensor.std().item<float>(), Is.EqualTo(expected).Within(3).Percent);
}
