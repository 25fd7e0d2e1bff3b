using CnnSpec.Operators;
using static CnnSpec.Runtime.Export.OnnxAttribute;

namespace CnnSpec.Runtime.Export;

/// <summary>
/// Pools in ONNX, opset 17. A last window that hangs over is said by padding, never by <c>ceil_mode</c>, which runtimes
/// understand differently.
/// </summary>
internal static class OnnxPooling
{
    public static string Max(OnnxLayer layer, MaxPooling pool)
    {
        long[] pads = Pads(layer, pool.Kernel, pool.Stride, pool.Padding, pool.Dilation);
        string x = layer.X;
        layer.Graph.KeepPaddingApart(x);
        // A dilated window may hang over by more than its pixels, and pools pad by fewer than those.
        if (pads[2] >= pool.Kernel.Height || pads[3] >= pool.Kernel.Width)
        {
            string sizes = layer.Graph.Indices(0, 0, 0, 0, 0, 0, pads[2], pads[3]);
            x = layer.Add("Pad", [x, sizes, layer.Number(double.NegativeInfinity)], Of("mode", "constant"));
            pads = [pads[0], pads[1], 0, 0];
        }
        return layer.Add(
            "MaxPool",
            [x],
            Of("kernel_shape", pool.Kernel.Height, pool.Kernel.Width),
            Of("strides", pool.Stride.Height, pool.Stride.Width),
            Of("pads", pads),
            Of("dilations", pool.Dilation.Height, pool.Dilation.Width)
        );
    }

    public static string Average(OnnxLayer layer, AveragePooling pool)
    {
        long[] pads = Pads(layer, pool.Kernel, pool.Stride, pool.Padding, ExtentModule.one);
        layer.Graph.KeepPaddingApart(layer.X);
        string mean = layer.Unary(
            "AveragePool",
            Of("kernel_shape", pool.Kernel.Height, pool.Kernel.Width),
            Of("strides", pool.Stride.Height, pool.Stride.Width),
            Of("pads", pads),
            Of("count_include_pad", pool.CountPadding)
        );
        bool hangsOver = pads[2] > pool.Padding.Height || pads[3] > pool.Padding.Width;
        if (!pool.CountPadding || !hangsOver)
            return mean;

        // PyTorch divides by the part of the window that lies within the padded input.
        float[] down = Shares(
            layer.Shape[1],
            layer.Output[1],
            pool.Kernel.Height,
            pool.Stride.Height,
            pool.Padding.Height
        );
        float[] across = Shares(
            layer.Shape[2],
            layer.Output[2],
            pool.Kernel.Width,
            pool.Stride.Width,
            pool.Padding.Width
        );
        float[] factors = [.. down.SelectMany(_ => across, (row, column) => 1 / (row * column))];
        return layer.Add(
            "Mul",
            [mean, layer.Graph.Constant($"{layer.Node.Path}.factors", factors, 1, 1, down.Length, across.Length)]
        );
    }

    public static string AdaptiveAverage(OnnxLayer layer, Extent size)
    {
        if (size.Height == 1 && size.Width == 1)
            return layer.Unary("GlobalAveragePool");
        // Each axis is a product with the windows' weights.
        var (rows, columns) = (layer.Shape[1], layer.Shape[2]);
        float[] right = new float[columns * size.Width];
        foreach (var (window, (first, end)) in Windows(columns, size.Width).Index())
            for (long column = first; column < end; column++)
                right[column * size.Width + window] = 1f / (end - first);
        float[] left = new float[size.Height * rows];
        foreach (var (window, (first, end)) in Windows(rows, size.Height).Index())
            for (long row = first; row < end; row++)
                left[window * rows + row] = 1f / (end - first);
        string narrow = layer.Add(
            "MatMul",
            [layer.X, layer.Graph.Constant($"{layer.Node.Path}.columns", right, columns, size.Width)]
        );
        return layer.Add("MatMul", [layer.Graph.Constant($"{layer.Node.Path}.rows", left, size.Height, rows), narrow]);
    }

    public static string AdaptiveMax(OnnxLayer layer, Extent size)
    {
        if (size.Height == 1 && size.Width == 1)
            return layer.Unary("GlobalMaxPool");
        string narrow = MaxAlong(layer, layer.X, axis: 3, Windows(layer.Shape[2], size.Width));
        return MaxAlong(layer, narrow, axis: 2, Windows(layer.Shape[1], size.Height));
    }

    private static string MaxAlong(
        OnnxLayer layer,
        string value,
        long axis,
        IEnumerable<(long First, long End)> windows
    )
    {
        var graph = layer.Graph;
        string[] maxima =
        [
            .. windows
                .Select(window =>
                    layer.Add(
                        "Slice",
                        [value, graph.Indices(window.First), graph.Indices(window.End), graph.Indices(axis)]
                    )
                )
                .ToArray()
                .Select(part => layer.Add("ReduceMax", [part], Of("axes", new[] { axis }), Of("keepdims", true))),
        ];
        return layer.Add("Concat", maxima, Of("axis", axis));
    }

    /// <summary>As PyTorch divides an axis into windows that may overlap.</summary>
    private static IEnumerable<(long First, long End)> Windows(long size, long count)
    {
        for (long window = 0; window < count; window++)
            yield return (window * size / count, ((window + 1) * size + count - 1) / count);
    }

    /// <summary>Padding with which all windows lie within the padded input: top, left, bottom, right.</summary>
    private static long[] Pads(OnnxLayer layer, Extent kernel, Extent stride, Extent padding, Extent dilation)
    {
        long Far(int axis, int kernel, int stride, int padding, int dilation)
        {
            long reach = (layer.Output[axis] - 1) * stride + (long)dilation * (kernel - 1) + 1;
            return Math.Max(padding, reach - layer.Shape[axis] - padding);
        }
        return
        [
            padding.Height,
            padding.Width,
            Far(1, kernel.Height, stride.Height, padding.Height, dilation.Height),
            Far(2, kernel.Width, stride.Width, padding.Width, dilation.Width),
        ];
    }

    /// <summary>Which part of each window along an axis lies within the padded input.</summary>
    private static float[] Shares(long size, long count, int kernel, int stride, int padding) =>
        [
            .. Enumerable
                .Range(0, (int)count)
                .Select(window => Math.Min(kernel, size + 2L * padding - (long)window * stride) / (float)kernel),
        ];
}
