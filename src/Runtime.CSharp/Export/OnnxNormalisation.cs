using CnnSpec.Operators;
using static CnnSpec.Runtime.Export.OnnxAttribute;

namespace CnnSpec.Runtime.Export;

/// <summary>Normalisations in ONNX, opset 17, which has none by groups.</summary>
internal static class OnnxNormalisation
{
    public static string Batch(OnnxLayer layer, double epsilon)
    {
        long[] perChannel = [layer.Channels];
        return layer.Add(
            "BatchNormalization",
            [
                layer.X,
                layer.WeightOr("weight", 1, perChannel),
                layer.WeightOr("bias", 0, perChannel),
                layer.Weight("running_mean"),
                layer.Weight("running_var"),
            ],
            Of("epsilon", epsilon)
        );
    }

    public static string Layer(OnnxLayer layer, Normalisation norm, bool perPixel)
    {
        long[] normalised = perPixel ? [layer.Channels] : layer.Shape;
        string Normalised(string value, long axis) =>
            layer.Add(
                "LayerNormalization",
                [value, layer.WeightOr("weight", 1, normalised), layer.WeightOr("bias", 0, normalised)],
                Of("axis", axis),
                Of("epsilon", norm.Epsilon)
            );
        if (!perPixel)
            return Normalised(layer.X, 1);
        string channelsLast = layer.Unary("Transpose", Of("perm", 0, 2, 3, 1));
        return layer.Add("Transpose", [Normalised(channelsLast, -1)], Of("perm", 0, 3, 1, 2));
    }

    /// <summary>
    /// The groups' means and variances by two passes, then each channel's own scale and bias. ONNX Runtime's instance norm
    /// loses four digits over groups of half a million values.
    /// </summary>
    public static string Group(OnnxLayer layer, int groups, double epsilon)
    {
        var axis = Of("axes", new[] { 2L });
        string grouped = layer.Reshaped(layer.X, groups, -1);
        string centred = layer.Add("Sub", [grouped, layer.Add("ReduceMean", [grouped], axis)]);
        string variance = layer.Add("ReduceMean", [layer.Add("Mul", [centred, centred])], axis);
        string deviation = layer.Add("Sqrt", [layer.Plus(variance, epsilon)]);
        string whole = layer.Reshaped(layer.Add("Div", [centred, deviation]), layer.Shape);
        if (!layer.Has("weight"))
            return whole;
        long[] perChannel = layer.PerChannel(layer.Channels);
        string scaled = layer.Add("Mul", [whole, layer.Weight("weight", perChannel)]);
        return layer.Add("Add", [scaled, layer.Weight("bias", perChannel)]);
    }

    public static string Instance(OnnxLayer layer, double epsilon) =>
        layer.Add(
            "InstanceNormalization",
            [layer.X, layer.WeightOr("weight", 1, [layer.Channels]), layer.WeightOr("bias", 0, [layer.Channels])],
            Of("epsilon", epsilon)
        );

    /// <summary>
    /// x / (k + α · mean of x² over neighbouring channels)^β. Krizhevsky, Sutskever &amp; Hinton 2012, section 3.3. ONNX's
    /// own operator puts the window elsewhere where its size is even, so it is a mean over channels.
    /// </summary>
    public static string LocalResponse(OnnxLayer layer, int size, double alpha, double beta, double k)
    {
        long pixels = layer.Shape.Skip(1).Aggregate(1L, (a, b) => a * b);
        string square = layer.Reshaped(layer.Add("Mul", [layer.X, layer.X]), 1, layer.Channels, pixels);
        string mean = layer.Add(
            "AveragePool",
            [square],
            Of("kernel_shape", size, 1),
            Of("pads", size / 2, 0, (size - 1) / 2, 0),
            Of("count_include_pad", true)
        );
        string divisor = layer.Plus(layer.Times(layer.Reshaped(mean, layer.Shape), alpha), k);
        return layer.Add("Div", [layer.X, layer.Add("Pow", [divisor, layer.Number(beta)])]);
    }
}
