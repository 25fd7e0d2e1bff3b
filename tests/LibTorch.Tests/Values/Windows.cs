namespace CnnSpec.LibTorch.Tests.Values;

/// <summary>Images, convolutions and pools in plain loops over doubles: slow, and too simple to be wrong.</summary>
internal sealed record Image(int N, int C, int H, int W, double[] Values)
{
    public static Image Of(int n, int c, int h, int w, Func<double> value) =>
        new(n, c, h, w, Enumerable.Range(0, n * c * h * w).Select(_ => value()).ToArray());

    public double this[int n, int c, int y, int x]
    {
        get => Values[((n * C + c) * H + y) * W + x];
        set => Values[((n * C + c) * H + y) * W + x] = value;
    }

    public bool Inside(int y, int x) => y >= 0 && y < H && x >= 0 && x < W;
}

/// <summary>How a window moves along one side.</summary>
internal readonly record struct Side(int Kernel, int Stride, int Padding, int Dilation)
{
    private int Reach => Dilation * (Kernel - 1) + 1;

    /// <summary>
    /// How many windows fit, counted one by one. With ceil the last may stick out, but must begin inside the input or the
    /// padding on its left.
    /// </summary>
    public int Count(int size, bool ceil = false)
    {
        var count = 0;
        for (var start = -Padding; start + Reach <= size + Padding; start += Stride)
            count++;
        var next = -Padding + count * Stride;
        var last = next - Stride + Reach;
        return ceil && last < size + Padding && next < size ? count + 1 : count;
    }

    public int Position(int window, int tap) => window * Stride - Padding + tap * Dilation;
}

internal static class Windows
{
    public static Image Convolve(Image input, Image weight, double[] bias, Side down, Side across, int groups)
    {
        var output = Image.Of(input.N, weight.N, down.Count(input.H), across.Count(input.W), () => 0);
        var perGroup = weight.N / groups;
        Each(
            output,
            (n, k, y, x) =>
            {
                var sum = bias[k];
                for (var c = 0; c < weight.C; c++)
                for (var r = 0; r < weight.H; r++)
                for (var s = 0; s < weight.W; s++)
                {
                    var (iy, ix) = (down.Position(y, r), across.Position(x, s));
                    if (input.Inside(iy, ix))
                        sum += weight[k, c, r, s] * input[n, k / perGroup * weight.C + c, iy, ix];
                }
                return sum;
            }
        );
        return output;
    }

    public static Image MaxPool(Image input, Side down, Side across, bool ceil)
    {
        var output = Image.Of(input.N, input.C, down.Count(input.H, ceil), across.Count(input.W, ceil), () => 0);
        Each(output, (n, c, y, x) => Taps(input, n, c, y, x, down, across).Max());
        return output;
    }

    public static Image AveragePool(Image input, Side down, Side across, bool ceil, bool countPadding)
    {
        var output = Image.Of(input.N, input.C, down.Count(input.H, ceil), across.Count(input.W, ceil), () => 0);
        Each(
            output,
            (n, c, y, x) =>
            {
                var taps = Taps(input, n, c, y, x, down, across).ToArray();
                // Padding counts, but what ceil mode adds beyond the padding does not.
                var padded = Within(down, y, input.H) * Within(across, x, input.W);
                return taps.Sum() / (countPadding ? padded : taps.Length);
            }
        );
        return output;

        static int Within(Side side, int window, int size) =>
            Enumerable.Range(0, side.Kernel).Count(tap => side.Position(window, tap) < size + side.Padding);
    }

    public static Image AdaptiveAveragePool(Image input, int height, int width)
    {
        var output = Image.Of(input.N, input.C, height, width, () => 0);
        Each(
            output,
            (n, c, y, x) =>
            {
                var (top, bottom) = (y * input.H / height, ((y + 1) * input.H + height - 1) / height);
                var (left, right) = (x * input.W / width, ((x + 1) * input.W + width - 1) / width);
                var sum = 0.0;
                for (var iy = top; iy < bottom; iy++)
                for (var ix = left; ix < right; ix++)
                    sum += input[n, c, iy, ix];
                return sum / ((bottom - top) * (right - left));
            }
        );
        return output;
    }

    private static IEnumerable<double> Taps(Image input, int n, int c, int y, int x, Side down, Side across)
    {
        for (var r = 0; r < down.Kernel; r++)
        for (var s = 0; s < across.Kernel; s++)
        {
            var (iy, ix) = (down.Position(y, r), across.Position(x, s));
            if (input.Inside(iy, ix))
                yield return input[n, c, iy, ix];
        }
    }

    private static void Each(Image output, Func<int, int, int, int, double> value)
    {
        for (var n = 0; n < output.N; n++)
        for (var c = 0; c < output.C; c++)
        for (var y = 0; y < output.H; y++)
        for (var x = 0; x < output.W; x++)
            output[n, c, y, x] = value(n, c, y, x);
    }
}
