using CnnSpec.Operators;
using static CnnSpec.Runtime.Export.OnnxAttribute;

namespace CnnSpec.Runtime.Export;

/// <summary>
/// What each operation of the IR is in ONNX, opset 17, in evaluation. https://onnx.ai/onnx/operators/. Where ONNX computes
/// something else than PyTorch, as for pools whose last window hangs over, the operation is composed of others.
/// </summary>
internal static class OnnxOperations
{
    /// <returns>The name of the layer's value: of a new node, or of the input where the layer changes nothing.</returns>
    public static string Emit(OnnxLayer layer) =>
        layer.Node.Op switch
        {
            Op.Conv o => Convolution(layer, o.Item),
            Op.ConvTranspose o => TransposedConvolution(layer, o.Item),
            Op.Linear => layer.Add("Gemm", layer.WithWeights(), Of("transB", true)),
            Op.MaxPool o => OnnxPooling.Max(layer, o.Item),
            Op.AvgPool o => OnnxPooling.Average(layer, o.Item),
            Op.AdaptiveMaxPool o => OnnxPooling.AdaptiveMax(layer, o.Item),
            Op.AdaptiveAvgPool o => OnnxPooling.AdaptiveAverage(layer, o.Item),
            Op.BatchNorm o => OnnxNormalisation.Batch(layer, o.Item.Epsilon),
            Op.LayerNorm o => OnnxNormalisation.Layer(layer, o.Item1, o.perPixel),
            Op.GroupNorm o => OnnxNormalisation.Group(layer, o.groups, o.Item2.Epsilon),
            Op.InstanceNorm o => OnnxNormalisation.Instance(layer, o.Item.Epsilon),
            Op.LocalResponseNorm o => OnnxNormalisation.LocalResponse(layer, o.size, o.alpha, o.beta, o.k),
            Op.Activate o => OnnxActivation.Emit(layer, o.Item),
            Op.PRelu => layer.Add(
                "PRelu",
                [layer.X, layer.Weight("weight", layer.PerChannel(layer.Node.Weights.Head.Shape.Head))]
            ),
            Op.Reshape => layer.Reshaped(layer.X, layer.Output),
            Op.Permute o => layer.Unary("Transpose", Of("perm", [0, .. o.Item.Select(axis => axis + 1L)])),
            Op.Slice o => layer.Add(
                "Slice",
                [layer.X, layer.Graph.Indices(o.start), layer.Graph.Indices(o.stop), layer.Graph.Indices(1)]
            ),
            Op.ChannelShuffle o => ChannelShuffle(layer, o.groups),
            Op.PixelShuffle o => layer.Unary("DepthToSpace", Of("blocksize", (long)o.factor), Of("mode", "CRD")),
            Op.Upsample o => Upsampling(layer, o.factor, o.Item2),
            Op.Pad o => Padding(layer, o.Item1, o.Item2),
            Op.LayerScale => layer.Add("Mul", [layer.X, layer.Weight("weight", layer.PerChannel(layer.Channels))]),
            Op.Affine o => Affine(layer, Floats(o.scale), Floats(o.shift)),
            Op.Multiply => Chain(layer, "Mul"),
            Op.Dropout or Op.Dropout2d or Op.DropPath => layer.X,
            { IsIdentity: true } => layer.X,
            { IsFlatten: true } => layer.Unary("Flatten", Of("axis", 1L)),
            { IsSoftmax: true } => layer.Unary("Softmax", Of("axis", 1L)),
            { IsLogSoftmax: true } => layer.Unary("LogSoftmax", Of("axis", 1L)),
            { IsConcat: true } => layer.Add("Concat", layer.Inputs, Of("axis", 1L)),
            { IsAdd: true } => Chain(layer, "Add"),
            var op => throw new NotSupportedException($"ONNX has no operation {op}"),
        };

    private static string Convolution(OnnxLayer layer, Convolution conv) =>
        layer.Add(
            "Conv",
            layer.WithWeights(),
            Of("kernel_shape", conv.Kernel.Height, conv.Kernel.Width),
            Of("strides", conv.Stride.Height, conv.Stride.Width),
            Of("pads", conv.Padding.Top, conv.Padding.Left, conv.Padding.Bottom, conv.Padding.Right),
            Of("dilations", conv.Dilation.Height, conv.Dilation.Width),
            Of("group", (long)conv.Groups)
        );

    private static string TransposedConvolution(OnnxLayer layer, TransposedConvolution conv) =>
        layer.Add(
            "ConvTranspose",
            layer.WithWeights(),
            Of("kernel_shape", conv.Kernel.Height, conv.Kernel.Width),
            Of("strides", conv.Stride.Height, conv.Stride.Width),
            Of("pads", conv.Padding.Height, conv.Padding.Width, conv.Padding.Height, conv.Padding.Width),
            Of("output_padding", conv.OutputPadding.Height, conv.OutputPadding.Width),
            Of("dilations", conv.Dilation.Height, conv.Dilation.Width),
            Of("group", (long)conv.Groups)
        );

    private static string ChannelShuffle(OnnxLayer layer, int groups)
    {
        var (channels, height, width) = (layer.Channels, layer.Shape[1], layer.Shape[2]);
        string grouped = layer.Reshaped(layer.X, groups, channels / groups, height, width);
        string swapped = layer.Add("Transpose", [grouped], Of("perm", 0, 2, 1, 3, 4));
        return layer.Reshaped(swapped, channels, height, width);
    }

    private static string Upsampling(OnnxLayer layer, int factor, Interpolation interpolation)
    {
        string scales = layer.Graph.Constant($"{layer.Node.Path}.scales", [1, 1, factor, factor], 4);
        string[] inputs = [layer.X, "", scales];
        return interpolation.IsBilinear
            ? layer.Add("Resize", inputs, Of("mode", "linear"), Of("coordinate_transformation_mode", "half_pixel"))
            : layer.Add(
                "Resize",
                inputs,
                Of("mode", "nearest"),
                Of("coordinate_transformation_mode", "asymmetric"),
                Of("nearest_mode", "floor")
            );
    }

    private static string Padding(OnnxLayer layer, Margins margins, PaddingMode mode)
    {
        string pads = layer.Graph.Indices(0, 0, margins.Top, margins.Left, 0, 0, margins.Bottom, margins.Right);
        string name =
            mode.IsReflect ? "reflect"
            : mode.IsReplicate ? "edge"
            : "constant";
        return layer.Add("Pad", [layer.X, pads], Of("mode", name));
    }

    private static string Affine(OnnxLayer layer, float[] scale, float[] shift)
    {
        string Of(string name, float[] values) =>
            layer.Graph.Constant($"{layer.Node.Path}.{name}", values, layer.PerChannel(values.Length));
        string scaled = layer.Add("Mul", [layer.X, Of("scale", scale)]);
        return layer.Add("Add", [scaled, Of("shift", shift)]);
    }

    private static float[] Floats(IEnumerable<double> values) => [.. values.Select(value => (float)value)];

    /// <summary>From the left, as the network combines them.</summary>
    private static string Chain(OnnxLayer layer, string type) =>
        layer.Inputs.Skip(1).Aggregate(layer.X, (sum, next) => layer.Add(type, [sum, next]));
}
