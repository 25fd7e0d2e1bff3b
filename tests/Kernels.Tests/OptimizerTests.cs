using NUnit.Framework;

namespace CnnSpec.Kernels.Tests;

/// <summary>One pass over all parameters makes the step that PyTorch's documentation writes down.</summary>
public sealed class OptimizerTests
{
    private const double Rate = 0.05;

    private static readonly int[] Sizes = [1, 7, 4096, 20_001];

    private static ParameterMemory Memory(Values value, Values gradient, Values? first = null, Values? second = null) =>
        new()
        {
            Value = value.Pointer,
            Gradient = gradient.Pointer,
            First = first?.Pointer ?? 0,
            Second = second?.Pointer ?? 0,
            Count = value.All().Length,
        };

    [Test]
    public void Sgd([Values] bool nesterov, [Values(0, 0.9)] double momentum, [Values(0, 0.02)] double decay)
    {
        var random = Seeded.Random();
        foreach (string level in Levels.Here())
        foreach (int size in Sizes)
        {
            Assert.That(KernelLibrary.Use(level));
            using var value = Values.Random(random, Element.Float32, size);
            using var gradient = Values.Random(random, Element.Float32, size);
            using var buffer = Values.Random(random, Element.Float32, size);
            double[] slope = [.. gradient.All().Zip(value.All(), (g, v) => g + decay * v)];
            double[] pace = [.. buffer.All().Zip(slope, (b, s) => momentum * b + 0.9 * s)];
            double[] step =
                momentum == 0 ? slope
                : nesterov ? [.. slope.Zip(pace, (s, p) => s + momentum * p)]
                : pace;
            double[] expected = [.. value.All().Zip(step, (v, s) => v - Rate * s)];
            KernelLibrary.Sgd(
                [Memory(value, gradient, momentum == 0 ? null : buffer)],
                Rate,
                momentum,
                dampening: 0.1,
                decay,
                nesterov
            );
            value.AssertNear(expected, 3e-6, "the parameter");
            if (momentum != 0)
                buffer.AssertNear(pace, 3e-6, "the momentum");
        }
    }

    [Test]
    public void Adam([Values(0, 0.02)] double decay, [Values(1, 0.999)] double shrink)
    {
        var random = Seeded.Random();
        const double beta1 = 0.9;
        const double beta2 = 0.99;
        const double epsilon = 1e-8;
        const int step = 3;
        foreach (string level in Levels.Here())
        foreach (int size in Sizes)
        {
            Assert.That(KernelLibrary.Use(level));
            using var value = Values.Random(random, Element.Float32, size);
            using var gradient = Values.Random(random, Element.Float32, size);
            using var mean = Values.Random(random, Element.Float32, size);
            using var square = Values.Of(Element.Float32, [.. Enumerable.Repeat(0.3, size)]);
            double[] slope = [.. gradient.All().Zip(value.All(), (g, v) => g + decay * v)];
            double[] first = [.. mean.All().Zip(slope, (m, s) => beta1 * m + (1 - beta1) * s)];
            double[] second = [.. square.All().Zip(slope, (q, s) => beta2 * q + (1 - beta2) * s * s)];
            double bias1 = 1 - Math.Pow(beta1, step);
            double bias2 = 1 - Math.Pow(beta2, step);
            double[] expected =
            [
                .. value
                    .All()
                    .Select(
                        (v, i) =>
                            shrink * v - Rate * first[i] / bias1 / (Math.Sqrt(second[i]) / Math.Sqrt(bias2) + epsilon)
                    ),
            ];
            var memory = Memory(value, gradient, mean, square);
            memory.Size = (float)(-Rate / bias1);
            memory.Root = (float)Math.Sqrt(bias2);
            KernelLibrary.Adam([memory], beta1, beta2, epsilon, decay, shrink);
            value.AssertNear(expected, 3e-6, "the parameter");
            mean.AssertNear(first, 3e-6, "the mean");
            square.AssertNear(second, 3e-6, "the square");
        }
    }

    [Test]
    public void The_size_of_gradients_is_finite_where_each_is()
    {
        var random = Seeded.Random();
        foreach (string level in Levels.Here())
        {
            Assert.That(KernelLibrary.Use(level));
            using var few = Values.Of(Element.Float32, 1, -2, 3);
            using var many = Values.Random(random, Element.Float32, 20_001);
            double expected = few.All().Concat(many.All()).Sum(Math.Abs);
            Assert.That(
                KernelLibrary.Magnitude([Memory(few, few), Memory(many, many)]),
                Is.EqualTo(expected).Within(1e-3 * expected)
            );
            many[20_000] = double.NaN;
            Assert.That(KernelLibrary.Magnitude([Memory(few, few), Memory(many, many)]), Is.NaN);
        }
    }
}
