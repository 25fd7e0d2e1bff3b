using NUnit.Framework;

namespace CnnSpec.Kernels.Tests;

/// <summary>Max pooling picks the largest value of each window, the first of equal ones, and sends its gradient there.</summary>
public sealed class PoolTests
{
    private static IEnumerable<TestCaseData> Cases() =>
        from level in Levels.Here()
        from element in Enum.GetValues<Element>()
        from channels in new[] { 1, 6, 12, 16, 35, 72 }
        from window in new (int H, int W, int StrideH, int StrideW, int Top, int Left)[]
        {
            (3, 3, 1, 1, 1, 1),
            (3, 2, 2, 2, 1, 0),
            (3, 3, 2, 2, 1, 1),
            (2, 2, 2, 2, 0, 0),
            (2, 5, 3, 1, 1, 2),
            (9, 11, 1, 1, 4, 5),
        }
        from relu in new[] { false, true }
        select new TestCaseData(level, element, channels, window, relu);

    [TestCaseSource(nameof(Cases))]
    public void Maxima_and_their_gradient_are_the_windows(
        string level,
        Element element,
        int channels,
        (int H, int W, int StrideH, int StrideW, int Top, int Left) w,
        bool relu
    )
    {
        Assert.That(KernelLibrary.Use(level));
        var random = Seeded.Random();
        const int images = 2;
        const int height = 9;
        const int width = 11;
        int outHeight = (height + 2 * w.Top - w.H) / w.StrideH + 1;
        int outWidth = (width + 2 * w.Left - w.W) / w.StrideW + 1;
        var shape = new PoolShape(
            images,
            channels,
            height,
            width,
            outHeight,
            outWidth,
            w.H,
            w.W,
            w.StrideH,
            w.StrideW,
            w.Top,
            w.Left
        );
        // Few values, so that many are equal.
        int size = images * height * width * channels;
        int outSize = images * outHeight * outWidth * channels;
        using var x = Values.Of(element, [.. Enumerable.Range(0, size).Select(_ => (double)random.Next(-4, 4))]);
        using var dy = Values.Of(element, [.. Enumerable.Range(0, outSize).Select(_ => (double)random.Next(-3, 3))]);
        using var passed = Values.Of(element, [.. Enumerable.Range(0, size).Select(_ => (double)random.Next(-3, 3))]);
        using var y = Values.Room(element, outSize);
        using var dx = Values.Room(element, size);
        using var position = Values.Room(Element.Float32, outSize / 4 + 1);
        KernelLibrary.MaxPool(element, shape, relu, x.Pointer, y.Pointer, position.Pointer);
        KernelLibrary.MaxPoolBackward(element, shape, dy.Pointer, position.Pointer, passed.Pointer, dx.Pointer);

        var (expected, gradient) = (new double[outSize], passed.All());
        for (int n = 0; n < images; n++)
        for (int oy = 0; oy < outHeight; oy++)
        for (int ox = 0; ox < outWidth; ox++)
        for (int c = 0; c < channels; c++)
        {
            var (best, place) = (double.NegativeInfinity, -1);
            for (int i = 0; i < w.H; i++)
            for (int j = 0; j < w.W; j++)
            {
                var (row, column) = (oy * w.StrideH - w.Top + i, ox * w.StrideW - w.Left + j);
                if (row < 0 || row >= height || column < 0 || column >= width)
                    continue;
                int at = ((n * height + row) * width + column) * channels + c;
                if (x[at] > best)
                    (best, place) = (x[at], at);
            }
            int to = ((n * outHeight + oy) * outWidth + ox) * channels + c;
            expected[to] = relu ? Math.Max(0, best) : best;
            if (!relu || best > 0)
                gradient[place] += dy[to];
        }
        y.AssertNear(expected, 0, "the maxima");
        dx.AssertNear(gradient, 0, "the gradient");
    }
}
