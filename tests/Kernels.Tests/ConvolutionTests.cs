using NUnit.Framework;

namespace CnnSpec.Kernels.Tests;

/// <summary>Whichever method computes a convolution, it must be the convolution, or networks train to something else. What is
/// expected comes of loops in double precision.</summary>
public sealed class ConvolutionTests
{
    private static ConvShape Case(
        long channels,
        long filters,
        long height,
        long width,
        (long H, long W) kernel,
        (long H, long W) stride,
        (long H, long W) padding,
        (long H, long W) dilation,
        long images = 5
    )
    {
        long Size(long size, long k, long s, long p, long d) => (size + 2 * p - d * (k - 1) - 1) / s + 1;
        return new(
            images,
            channels,
            height,
            width,
            filters,
            Size(height, kernel.H, stride.H, padding.H, dilation.H),
            Size(width, kernel.W, stride.W, padding.W, dilation.W),
            kernel.H,
            kernel.W,
            stride.H,
            stride.W,
            padding.H,
            padding.W,
            dilation.H,
            dilation.W
        );
    }

    /// <summary>Maps of even and odd sides, tiles that hang over every edge, padding of each side from none to the window's,
    /// channels in one and in several runs, and windows that only the general method takes.</summary>
    private static IEnumerable<ConvShape> Cases()
    {
        var one = (1L, 1L);
        foreach (var (channels, filters) in new[] { (16, 16), (16, 32), (48, 64), (96, 32) })
        foreach (var (height, width) in new[] { (12, 10), (9, 13), (8, 7) })
            yield return Case(channels, filters, height, width, (3, 3), one, one, one);
        foreach (var (down, across) in new[] { (0L, 0L), (2L, 2L), (0L, 2L), (2L, 1L), (1L, 0L) })
            yield return Case(32, 32, 10, 15, (3, 3), one, (down, across), one);
        foreach (var (down, across) in new[] { (2L, 2L), (0L, 4L), (3L, 1L) })
            yield return Case(16, 32, 9, 13, (5, 5), one, (down, across), one);
        // Vectors that channels or filters do not fill.
        yield return Case(12, 24, 9, 13, (5, 5), one, (2, 2), one);
        yield return Case(40, 12, 11, 8, (3, 3), one, one, one);
        yield return Case(24, 40, 11, 8, (3, 3), (2, 1), one, one);
        yield return Case(40, 24, 9, 7, one, one, (0, 0), one);
        // Tiles that hang over the map by more than they save.
        yield return Case(16, 16, 2, 5, (3, 3), one, one, one, images: 40);
        yield return Case(32, 32, 4, 5, (3, 3), one, one, one, images: 1);
        // The last rows and columns are seen by no window.
        yield return Case(3, 20, 11, 12, (2, 2), (3, 3), (0, 0), one);
        // Images of one channel: two windows share a vector, or one has it; bands of rows, and more filters than a vector.
        yield return Case(1, 8, 14, 13, (5, 5), one, (2, 2), one, images: 1);
        yield return Case(1, 6, 28, 25, (3, 3), one, one, one, images: 20);
        yield return Case(1, 5, 9, 12, (4, 2), (2, 1), (0, 3), (2, 1));
        yield return Case(1, 20, 41, 75, (7, 5), (2, 3), (3, 4), (1, 2), images: 2);
        yield return Case(1, 40, 6, 31, (1, 3), one, (0, 1), one);
        yield return Case(16, 16, 13, 9, (5, 3), (1, 3), (2, 0), one);
        yield return Case(16, 16, 14, 11, (3, 3), one, (2, 2), (2, 2));
        yield return Case(16, 48, 14, 33, (7, 7), (2, 2), (3, 3), one);
        yield return Case(16, 16, 15, 17, (2, 4), (1, 2), (0, 1), (3, 2));
    }

    private static IEnumerable<TestCaseData> CasesOfAllLevels() =>
        from level in Levels.Here()
        from element in Enum.GetValues<Element>()
        from shape in Cases()
        select new TestCaseData(level, element, shape);

    /// <summary>Of the result's norm. bfloat16 has 8 bits, and a tile's points are weighted sums of up to 25 values, rounded
    /// anew: they cost two bits more than a sum of products does.</summary>
    private static double BoundOf(Element element) => element == Element.Float32 ? 3e-6 : 0.02;

    [TestCaseSource(nameof(CasesOfAllLevels))]
    public void All_products_are_the_convolutions(string level, Element element, ConvShape s)
    {
        Assert.That(KernelLibrary.Use(level));
        var random = Seeded.Random();
        long mapSize = s.Images * s.Height * s.Width * s.Channels;
        long outSize = s.Images * s.OutHeight * s.OutWidth * s.Filters;
        long weightSize = s.Filters * s.Channels * s.KernelHeight * s.KernelWidth;
        using var x = Values.Random(random, element, mapSize);
        using var dy = Values.Random(random, element, outSize);
        using var passed = Values.Random(random, element, mapSize);
        using var addend = Values.Random(random, element, outSize);
        using var bias = Values.Random(random, Element.Float32, s.Filters);
        // Rounded as the maps are, so that both read the same weight.
        using var rounded = Values.Random(random, element, weightSize);
        using var weight = Values.Of(Element.Float32, rounded.All());
        var (y, dx, dweight) = Expected(s, x.All(), weight.All(), bias.All(), dy.All());

        if (KernelLibrary.HasConv(element, s, ConvProduct.Output))
        {
            using var actual = Values.Room(element, outSize);
            KernelLibrary.ConvOutput(element, s, x.Pointer, weight.Pointer, bias.Pointer, actual.Pointer);
            actual.AssertNear(y, BoundOf(element), "the output");
        }
        if (KernelLibrary.HasConv(element, s, ConvProduct.InputGradient))
        {
            using var actual = Values.Room(element, mapSize);
            KernelLibrary.ConvInputGradient(element, s, dy.Pointer, weight.Pointer, passed.Pointer, actual.Pointer);
            actual.AssertNear(
                [.. dx.Zip(passed.All(), (a, b) => a + b)],
                BoundOf(element),
                "the gradient of the input"
            );
        }
        if (KernelLibrary.HasConv(element, s, ConvProduct.WeightGradient))
        {
            using var actual = Values.Room(Element.Float32, weightSize);
            KernelLibrary.ConvWeightGradient(element, s, x.Pointer, dy.Pointer, actual.Pointer);
            actual.AssertNear(dweight, BoundOf(element), "the gradient of the weight");
        }
        nint prepared = KernelLibrary.Prepare(element, s, weight.Pointer);
        if (prepared == 0)
            return;
        try
        {
            if (!KernelLibrary.HasPrepared(prepared, s))
                return;
            using var actual = Values.Room(element, outSize);
            KernelLibrary.RunPrepared(prepared, s, x.Pointer, bias.Pointer, addend.Pointer, true, actual.Pointer);
            double[] finished = [.. y.Zip(addend.All(), (a, b) => Math.Max(0, a + b))];
            actual.AssertNear(finished, BoundOf(element), "prepared, with a sum and ReLU");
        }
        finally
        {
            KernelLibrary.Free(prepared);
        }
    }

    [Test]
    public void The_best_level_has_convolutions_of_its_own()
    {
        string best = Levels.Here().Last();
        Assume.That(best, Is.EqualTo("avx512"), "this processor has no bfloat16 vectors");
        Assert.That(KernelLibrary.Use(best));
        var shape = Case(32, 32, 12, 10, (3, 3), (1, 1), (1, 1), (1, 1));
        foreach (var product in Enum.GetValues<ConvProduct>())
            Assert.That(KernelLibrary.HasConv(Element.Float32, shape, product), product.ToString());
    }

    private static (double[] Y, double[] Dx, double[] Dweight) Expected(
        ConvShape s,
        double[] x,
        double[] weight,
        double[] bias,
        double[] dy
    )
    {
        var y = new double[dy.Length];
        var dx = new double[x.Length];
        var dweight = new double[weight.Length];
        Parallel.For(
            0,
            s.Images,
            n =>
            {
                for (long oy = 0; oy < s.OutHeight; oy++)
                for (long ox = 0; ox < s.OutWidth; ox++)
                for (long k = 0; k < s.Filters; k++)
                {
                    long at = ((n * s.OutHeight + oy) * s.OutWidth + ox) * s.Filters + k;
                    double sum = bias[k];
                    foreach (var (map, tap) in Taps(s, n, oy, ox, k))
                    {
                        sum += x[map] * weight[tap];
                        dx[map] += dy[at] * weight[tap];
                    }
                    y[at] = sum;
                }
            }
        );
        // By filter, so that no two threads add to one place.
        Parallel.For(
            0,
            s.Filters,
            k =>
            {
                for (long n = 0; n < s.Images; n++)
                for (long oy = 0; oy < s.OutHeight; oy++)
                for (long ox = 0; ox < s.OutWidth; ox++)
                {
                    double given = dy[((n * s.OutHeight + oy) * s.OutWidth + ox) * s.Filters + k];
                    foreach (var (map, tap) in Taps(s, n, oy, ox, k))
                        dweight[tap] += given * x[map];
                }
            }
        );
        return (y, dx, dweight);
    }

    private static IEnumerable<(long Map, long Tap)> Taps(ConvShape s, long n, long oy, long ox, long k)
    {
        for (long i = 0; i < s.KernelHeight; i++)
        for (long j = 0; j < s.KernelWidth; j++)
        {
            long row = oy * s.StrideHeight - s.PadTop + i * s.DilationHeight;
            long column = ox * s.StrideWidth - s.PadLeft + j * s.DilationWidth;
            if (row < 0 || row >= s.Height || column < 0 || column >= s.Width)
                continue;
            for (long c = 0; c < s.Channels; c++)
                yield return (
                    ((n * s.Height + row) * s.Width + column) * s.Channels + c,
                    ((k * s.Channels + c) * s.KernelHeight + i) * s.KernelWidth + j
                );
        }
    }
}
