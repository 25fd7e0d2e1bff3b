using NUnit.Framework;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch.Tests.Gradients;

/// <summary>A wrong derivative trains a network badly without any error; central differences notice.</summary>
[TestFixture]
public sealed class GradientTests
{
    private const double Step = 1e-5;
    private const double Tolerance = 2e-6;

    [TestCaseSource(typeof(GradientCases), nameof(GradientCases.All))]
    public void Backward_agrees_with_central_differences(GradientCase test)
    {
        using var scope = NewDisposeScope();
        var random = Seeded.Random();
        var inputs = test.Shapes.Select(shape => Draw(random, shape, test.Positive)).ToArray();
        var weights = Weights(random, test.Function(inputs));
        (test.Function(inputs) * weights).sum().backward();

        using var _ = no_grad();
        for (var i = 0; i < inputs.Length; i++)
        {
            // A target that the function detaches has no gradient to compare.
            if (inputs[i].grad is not { } grad)
                continue;
            var analytic = grad.data<double>().ToArray();
            var numeric = Differences(test, inputs, i, weights);
            Assert.That(analytic, Is.EqualTo(numeric).Within(Tolerance), $"input {i}");
        }
        Assert.That(inputs[0].grad is not null, "the first input must have a gradient");
    }

    /// <summary>How many different values are drawn.</summary>
    private const int Levels = 1500;

    // Differences across a kink prove nothing. The levels lie between the places where activations bend (multiples of a
    // half), and no two elements share one, so that no maximum is decided by less than a step.
    private static Tensor Draw(Random random, long[] shape, bool positive)
    {
        var count = shape.Aggregate(1L, (product, size) => product * size);
        var levels = Enumerable.Range(0, Levels).ToArray();
        random.Shuffle(levels);
        var values = new double[count];
        for (var i = 0; i < count; i++)
        {
            var level = levels[i % Levels] + 0.5;
            values[i] = positive ? 0.5 + level * 0.001 : level * 0.002 - 1.5;
        }
        return tensor(values, shape, requires_grad: true);
    }

    // Unequal weights, so that errors which cancel in a plain sum show.
    private static Tensor Weights(Random random, Tensor output) => Draw(random, output.shape, false).detach();

    private static double[] Differences(GradientCase test, Tensor[] inputs, int index, Tensor weights)
    {
        var elements = inputs[index].data<double>();
        var result = new double[elements.Count];
        for (var i = 0; i < result.Length; i++)
        {
            using var scope = NewDisposeScope();
            var original = inputs[index].bytes[(i * 8)..];
            var value = BitConverter.ToDouble(original);
            BitConverter.TryWriteBytes(original, value + Step);
            var above = (test.Function(inputs) * weights).sum().item<double>();
            BitConverter.TryWriteBytes(original, value - Step);
            var below = (test.Function(inputs) * weights).sum().item<double>();
            BitConverter.TryWriteBytes(original, value);
            result[i] = (above - below) / (2 * Step);
        }
        return result;
    }
}
