using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Values;

/// <summary>Functions against numbers worked out by hand.</summary>
[TestFixture]
public sealed class FunctionalTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Open() => _scope = NewDisposeScope();

    [TearDown]
    public void Close() => _scope.Dispose();

    private static Tensor Row(params double[] values) => tensor(values);

    private static void AssertValues(Tensor actual, params double[] expected) =>
        Assert.That(
            actual.@double().flatten().contiguous().data<double>().ToArray(),
            Is.EqualTo(expected).Within(1e-9)
        );

    [Test]
    public void Activations()
    {
        var x = Row(-4, -1, 0, 2, 8);
        AssertValues(F.relu(x), 0, 0, 0, 2, 8);
        AssertValues(F.relu6(x), 0, 0, 0, 2, 6);
        AssertValues(F.leaky_relu(x, 0.1), -0.4, -0.1, 0, 2, 8);
        AssertValues(F.hardsigmoid(x), 0, 1 / 3.0, 0.5, 5 / 6.0, 1);
        AssertValues(F.hardswish(x), 0, -1 / 3.0, 0, 5 / 3.0, 8);
        AssertValues(F.hardtanh(x, -2, 3), -2, -1, 0, 2, 3);
        AssertValues(F.elu(Row(-1, 2), 0.5), 0.5 * (Math.Exp(-1) - 1), 2);
        AssertValues(F.silu(Row(1)), 1 / (1 + Math.Exp(-1)));
        AssertValues(F.mish(Row(1)), Math.Tanh(Math.Log(1 + Math.E)));
        AssertValues(F.gelu(Row(1)), 0.8413447460685429);
        AssertValues(F.softplus(Row(0)), Math.Log(2));
        AssertValues(F.prelu(Row(-2, 3), Row(0.25)), -0.5, 3);
        AssertValues(F.softmax(Row(0, Math.Log(3)), 0), 0.25, 0.75);
    }

    [Test]
    public void In_place_activations_change_their_input()
    {
        var x = Row(-1, 2);
        var result = F.relu(x, inplace: true);
        AssertValues(x, 0, 2);
        result.Dispose();
        AssertValues(x, 0, 2);
    }

    [Test]
    public void Cross_entropy_smooths_weighs_and_ignores()
    {
        var logits = tensor(new double[] { 0, Math.Log(3), 0, 0 }, [2, 2]);
        var classes = tensor(new long[] { 1, 0 });
        var (first, second) = (-Math.Log(0.75), -Math.Log(0.5));
        AssertValues(F.cross_entropy(logits, classes), (first + second) / 2);
        AssertValues(F.cross_entropy(logits, classes, reduction: nn.Reduction.None), first, second);
        AssertValues(F.cross_entropy(logits, classes, Row(1, 3)), (3 * first + second) / 4);
        AssertValues(F.cross_entropy(logits, classes, ignore_index: 0), first);
        var smoothed = 0.9 * first + 0.1 * (first - Math.Log(0.25)) / 2;
        AssertValues(F.cross_entropy(logits, classes, reduction: nn.Reduction.None, label_smoothing: 0.1)[0], smoothed);
    }

    [Test]
    public void Batch_norm_normalizes_and_keeps_running_statistics()
    {
        var x = tensor(new double[] { 1, 3, 10, 20 }, [2, 1, 1, 2]);
        var (mean, variance) = (zeros(1, float64), ones(1, float64));
        var y = F.batch_norm(x, mean, variance, training: true, momentum: 0.5, eps: 0);
        var biased = new[] { 1.0, 3, 10, 20 }.Select(v => (v - 8.5) * (v - 8.5)).Average();
        AssertValues(y, new[] { 1.0, 3, 10, 20 }.Select(v => (v - 8.5) / Math.Sqrt(biased)).ToArray());
        AssertValues(mean, 4.25);
        // The running variance is the unbiased one.
        AssertValues(variance, 0.5 + 0.5 * biased * 4 / 3);
    }

    [Test]
    public void Local_response_norm_divides_alpha_by_its_size()
    {
        var x = tensor(new double[] { 1, 2, 3 }, [1, 3, 1, 1]);
        var actual = F.local_response_norm(x, 3, alpha: 0.3, beta: 0.75, k: 2);
        AssertValues(
            actual,
            1 / Math.Pow(2 + 0.1 * (1 + 4), 0.75),
            2 / Math.Pow(2 + 0.1 * (1 + 4 + 9), 0.75),
            3 / Math.Pow(2 + 0.1 * (4 + 9), 0.75)
        );
    }

    [Test]
    public void Pixel_and_channel_shuffles_move_the_right_elements()
    {
        var x = arange(8).reshape(1, 4, 1, 2);
        AssertValues(F.pixel_shuffle(x, 2), 0, 2, 1, 3, 4, 6, 5, 7);
        AssertValues(x.channel_shuffle(2), 0, 1, 4, 5, 2, 3, 6, 7);
    }

    [Test]
    public void Padding_goes_left_right_top_bottom()
    {
        var x = arange(1, 5).reshape(1, 1, 2, 2);
        Assert.That(F.pad(x, (1, 0, 0, 2)).shape, Is.EqualTo(new long[] { 1, 1, 4, 3 }));
        AssertValues(F.pad(x, (1, 0, 0, 0)), 0, 1, 2, 0, 3, 4);
    }

    [Test]
    public void Dropout_keeps_the_mean_and_does_nothing_in_evaluation()
    {
        Seeded.Random();
        var x = ones(100, 100, float64);
        var dropped = F.dropout(x, 0.25);
        Assert.That(dropped.mean().item<double>(), Is.EqualTo(1).Within(0.05));
        Assert.That(dropped.max().item<double>(), Is.EqualTo(4 / 3.0).Within(1e-12));
        AssertValues(F.dropout(x, 0.25, training: false).sum(), 10_000);
        // A dropped channel is dropped whole.
        var channels = F.dropout2d(ones(4, 8, 3, 5, float64), 0.5).mean([2, 3]);
        Assert.That(channels.data<double>(), Is.All.EqualTo(0).Or.EqualTo(2));
    }

    [Test]
    public void One_hot_and_top_k()
    {
        AssertValues(F.one_hot(tensor(new long[] { 2, 0 }), 3), 0, 0, 1, 1, 0, 0);
        var (values, indices) = Row(3, 9, 5).topk(2);
        AssertValues(values, 9, 5);
        AssertValues(indices, 1, 2);
    }
}
