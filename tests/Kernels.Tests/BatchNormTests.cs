using NUnit.Framework;

namespace CnnSpec.Kernels.Tests;

/// <summary>Batch normalisation with its sum and its ReLU is what the formulas say, forward and backward, whatever the layout.</summary>
public sealed class BatchNormTests
{
    private const int Rows = 105;
    private const double Momentum = 0.1;
    private const double Epsilon = 1e-5;

    private static IEnumerable<TestCaseData> Cases() =>
        from level in Levels.Here()
        from element in Enum.GetValues<Element>()
        from channels in new[] { 1, 3, 16, 24, 70, 129 }
        from sum in new[] { false, true }
        from relu in new[] { false, true }
        from gap in new[] { 0, 5 }
        select new TestCaseData(level, element, channels, sum, relu, gap);

    [TestCaseSource(nameof(Cases))]
    public void Forward_and_backward_are_the_formulas(
        string level,
        Element element,
        int channels,
        bool sum,
        bool relu,
        int gap
    )
    {
        Assert.That(KernelLibrary.Use(level));
        var random = Seeded.Random();
        int stride = channels + gap;
        using var x = Values.Random(random, element, Rows * stride);
        using var addend = Values.Random(random, element, Rows * channels);
        using var dy = Values.Random(random, element, Rows * channels);
        using var passed = Values.Random(random, element, Rows * channels);
        using var weight = Values.Random(random, Element.Float32, channels);
        using var bias = Values.Random(random, Element.Float32, channels);
        using var mean = Values.Random(random, Element.Float32, channels);
        using var variance = Values.Of(Element.Float32, [.. Enumerable.Repeat(2.0, channels)]);
        using var statistics = Values.Room(Element.Float32, 4 * channels);
        using var y = Values.Room(element, Rows * channels);
        var norm = new BatchNormShape
        {
            Element = (int)element,
            Relu = relu ? 1 : 0,
            Rows = Rows,
            Channels = channels,
            Momentum = Momentum,
            Epsilon = Epsilon,
            Weight = weight.Pointer,
            Bias = bias.Pointer,
            RunningMean = mean.Pointer,
            RunningVariance = variance.Pointer,
            Statistics = statistics.Pointer,
        };
        double[] meanBefore = mean.All();
        var rows = new Kernels.Rows(x.Pointer, stride);
        var sums = sum ? addend.Rows(channels) : default;
        KernelLibrary.BatchNormForward(norm, rows, sums, y.Rows(channels));

        using var dx = Values.Room(element, Rows * channels);
        using var masked = Values.Room(element, Rows * channels);
        using var dweight = Values.Room(Element.Float32, channels);
        using var dbias = Values.Room(Element.Float32, channels);
        bool masks = sum && relu;
        KernelLibrary.BatchNormBackward(
            norm,
            dy.Rows(channels),
            rows,
            masks ? y.Rows(channels) : default,
            masks ? masked.Rows(channels) : default,
            passed.Rows(channels),
            dx.Rows(channels),
            dweight.Pointer,
            dbias.Pointer
        );

        double bound = element == Element.Float32 ? 3e-5 : 0.02;
        var expected = new Reference(x, weight, bias, sum ? addend : null, y, dy, channels, stride, relu);
        y.AssertNear(expected.Y, bound, "the output");
        mean.AssertNear(
            [.. meanBefore.Zip(expected.Mean, (old, now) => (1 - Momentum) * old + Momentum * now)],
            1e-4,
            "the running mean"
        );
        variance.AssertNear(
            [.. expected.Variance.Select(now => (1 - Momentum) * 2 + Momentum * now * Rows / (Rows - 1))],
            1e-4,
            "the running variance"
        );
        dweight.AssertNear(expected.Dweight, bound, "the gradient of the weight");
        dbias.AssertNear(expected.Dbias, bound, "the gradient of the bias");
        dx.AssertNear([.. expected.Dx.Zip(passed.All(), (a, b) => a + b)], bound, "the gradient of the input");
        if (masks)
            masked.AssertNear(expected.Given, bound, "the gradient of the addend");
    }

    /// <summary>The formulas in double precision. Which values ReLU let through is read off the loops' own output: where
    /// rounding alone decides, either is right.</summary>
    private sealed class Reference
    {
        public double[] Y { get; }
        public double[] Mean { get; }
        public double[] Variance { get; }
        public double[] Given { get; }
        public double[] Dweight { get; }
        public double[] Dbias { get; }
        public double[] Dx { get; }

        public Reference(
            Values x,
            Values weight,
            Values bias,
            Values? addend,
            Values y,
            Values dy,
            int channels,
            int stride,
            bool relu
        )
        {
            (Y, Given, Dx) = (new double[Rows * channels], new double[Rows * channels], new double[Rows * channels]);
            (Mean, Variance) = (new double[channels], new double[channels]);
            (Dweight, Dbias) = (new double[channels], new double[channels]);
            for (int c = 0; c < channels; c++)
            {
                var column = Enumerable.Range(0, Rows).Select(row => x[row * stride + c]).ToArray();
                double mean = Mean[c] = column.Average();
                double variance = Variance[c] = column.Average(value => (value - mean) * (value - mean));
                double inverse = 1 / Math.Sqrt(variance + Epsilon);
                for (int row = 0; row < Rows; row++)
                {
                    int at = row * channels + c;
                    double value = weight[c] * (column[row] - mean) * inverse + bias[c] + (addend?[at] ?? 0);
                    Y[at] = relu ? Math.Max(0, value) : value;
                    Given[at] = !relu || y[at] > 0 ? dy[at] : 0;
                    Dbias[c] += Given[at];
                    Dweight[c] += Given[at] * (column[row] - mean) * inverse;
                }
                for (int row = 0; row < Rows; row++)
                {
                    int at = row * channels + c;
                    double normal = (column[row] - mean) * inverse;
                    Dx[at] = weight[c] * inverse * (Given[at] - Dbias[c] / Rows - normal * Dweight[c] / Rows);
                }
            }
        }
    }

    [Test]
    public void Copies_and_sums_keep_every_value([Values] Element element, [Values(1, 24, 70)] int channels)
    {
        var random = Seeded.Random();
        foreach (string level in Levels.Here())
        {
            Assert.That(KernelLibrary.Use(level));
            using var from = Values.Random(random, element, Rows * (channels + 3));
            using var to = Values.Room(element, Rows * channels);
            var shape = new RowShape(element, Rows, channels);
            KernelLibrary.CopyRows(shape, new Kernels.Rows(from.Pointer, channels + 3), to.Rows(channels));
            for (int row = 0; row < Rows; row++)
            for (int c = 0; c < channels; c++)
                Assert.That(to[row * channels + c], Is.EqualTo(from[row * (channels + 3) + c]));

            using var sums = Values.Room(Element.Float32, channels);
            KernelLibrary.ChannelSums(shape, to.Rows(channels), sums.Pointer);
            double[] expected = new double[channels];
            for (int i = 0; i < Rows * channels; i++)
                expected[i % channels] += to[i];
            sums.AssertNear(expected, 1e-5, "sums");

            using var addend = Values.Random(random, element, Rows * channels);
            double[] both = [.. to.All().Zip(addend.All(), (a, b) => Math.Max(0, a + b))];
            KernelLibrary.AddRelu(shape, to.Rows(channels), addend.Rows(channels), relu: true);
            to.AssertNear(both, element == Element.Float32 ? 1e-7 : 4e-3, "a sum and ReLU in place");
        }
    }
}
