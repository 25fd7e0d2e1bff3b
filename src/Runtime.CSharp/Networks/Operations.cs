using CnnSpec.Operators;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.Runtime.Networks;

/// <summary>One operation of TorchSharp's: batched inputs and the layer's weights to a batched output. The output is always a
/// new handle, which the caller owns, even where it shares its input's memory.</summary>
internal delegate Tensor Operation(IReadOnlyList<Tensor> inputs, LayerWeights weights, bool training);

/// <summary>The runtime's half of the operator table: what each operation of the IR does to tensors. Batches come first:
/// a map is <c>[N,C,H,W]</c>, features are <c>[N,F]</c>.</summary>
internal static class Operations
{
    /// <exception cref="NotSupportedException">The runtime lacks the operation; a test holds this table to the IR's list.</exception>
    public static Operation For(Op op) =>
        op switch
        {
            Op.Conv o => Convolution(o.Item),
            Op.ConvTranspose o => TransposedConvolution(o.Item),
            Op.Linear => (x, w, _) => functional.linear(x[0], w.Weight, w.Bias),
            Op.MaxPool o => MaxPooling(o.Item),
            Op.AvgPool o => AveragePooling(o.Item),
            Op.AdaptiveMaxPool o => (x, _, _) => functional.adaptive_max_pool2d(x[0], Pair(o.Item)),
            Op.AdaptiveAvgPool o => (x, _, _) => functional.adaptive_avg_pool2d(x[0], Pair(o.Item)),
            Op.BatchNorm o => BatchNormalisation(o.Item),
            Op.LayerNorm o => LayerNormalisation(o.Item1, o.perPixel),
            Op.GroupNorm o => (x, w, _) => functional.group_norm(x[0], o.groups, w.Scale, w.Bias, o.Item2.Epsilon),
            Op.InstanceNorm o => (x, w, _) =>
                functional.instance_norm(x[0], weight: w.Scale, bias: w.Bias, eps: o.Item.Epsilon),
            Op.LocalResponseNorm o => (x, _, _) => functional.local_response_norm(x[0], o.size, o.alpha, o.beta, o.k),
            Op.Activate o => Activations.For(o.Item),
            Op.PRelu => (x, w, _) => functional.prelu(x[0], w.Weight),
            Op.Dropout o => (x, _, training) => training ? functional.dropout(x[0], o.probability) : x[0].alias(),
            Op.Dropout2d o => (x, _, training) => training ? functional.dropout2d(x[0], o.probability) : x[0].alias(),
            Op.DropPath o => DropPath(o.probability),
            Op.Reshape o => (x, _, _) => x[0].reshape([x[0].size(0), .. o.Item]),
            Op.Permute o => (x, _, _) => x[0].permute([0, .. o.Item.Select(axis => (long)axis + 1)]),
            Op.Slice o => (x, _, _) => x[0].narrow(1, o.start, o.stop - o.start),
            Op.ChannelShuffle o => ChannelShuffle(o.groups),
            Op.PixelShuffle o => (x, _, _) => functional.pixel_shuffle(x[0], o.factor),
            Op.Upsample o => Upsampling(o.factor, o.Item2),
            Op.Pad o => Padding(o.Item1, o.Item2),
            Op.LayerScale => LayerScale,
            Op.Affine o => Affine(o.scale, o.shift),
            Op.Multiply => (x, _, _) => Fold(x, (left, right) => left.mul(right)),
            _ when op.IsInput || op.IsIdentity => (x, _, _) => x[0].alias(),
            _ when op.IsFlatten => (x, _, _) => x[0].flatten(1),
            _ when op.IsSoftmax => (x, _, _) => functional.softmax(x[0], 1),
            _ when op.IsLogSoftmax => (x, _, _) => functional.log_softmax(x[0], 1),
            _ when op.IsConcat => (x, _, _) => cat([.. x], 1),
            _ when op.IsAdd => (x, _, _) => Fold(x, Arithmetic.Plus),
            _ => throw new NotSupportedException($"the runtime has no operation {op}"),
        };

    private static long[] Pair(Extent extent) => [extent.Height, extent.Width];

    private static Operation Convolution(Convolution conv)
    {
        long[] stride = Pair(conv.Stride);
        long[] dilation = Pair(conv.Dilation);
        // Lowering has split off padding that differs between opposite sides.
        long[] padding = [conv.Padding.Top, conv.Padding.Left];
        return (x, w, _) =>
        {
            if (!TorchScript.LosesFilterGradients(x[0].dtype, x[0].size(3), stride[1]))
                return functional.conv2d(x[0], w.Weight, w.Bias, stride, padding, dilation, conv.Groups);
            using var scope = NewDisposeScope();
            var (input, weight, bias) = (Exact(x[0]), Exact(w.Weight), w.Bias is null ? null : Exact(w.Bias));
            return functional
                .conv2d(input, weight, bias, stride, padding, dilation, conv.Groups)
                .to(x[0].dtype)
                .MoveToOuterDisposeScope();
        };

        static Tensor Exact(Tensor value) => value.to(ScalarType.Float32);
    }

    private static Operation TransposedConvolution(TransposedConvolution conv)
    {
        long[] stride = Pair(conv.Stride);
        long[] padding = Pair(conv.Padding);
        long[] extra = Pair(conv.OutputPadding);
        long[] dilation = Pair(conv.Dilation);
        return (x, w, _) =>
            functional.conv_transpose2d(x[0], w.Weight, w.Bias, stride, padding, extra, dilation, conv.Groups);
    }

    private static Operation MaxPooling(MaxPooling pool)
    {
        long[] kernel = Pair(pool.Kernel);
        long[] stride = Pair(pool.Stride);
        long[] padding = Pair(pool.Padding);
        long[] dilation = Pair(pool.Dilation);
        return (x, _, _) => functional.max_pool2d(x[0], kernel, stride, padding, dilation, pool.Ceil);
    }

    private static Operation AveragePooling(AveragePooling pool)
    {
        long[] kernel = Pair(pool.Kernel);
        long[] stride = Pair(pool.Stride);
        long[] padding = Pair(pool.Padding);
        return (x, _, _) => functional.avg_pool2d(x[0], kernel, stride, padding, pool.Ceil, pool.CountPadding);
    }

    /// <summary>Training updates the running statistics.</summary>
    private static Operation BatchNormalisation(BatchNormalisation norm) =>
        (x, w, training) =>
        {
            if (training)
                using (no_grad())
                    w.BatchesSeen.Increment();
            return functional.batch_norm(
                x[0],
                w.RunningMean,
                w.RunningVariance,
                w.Scale,
                w.Bias,
                training,
                norm.Momentum,
                norm.Epsilon
            );
        };

    private static Operation LayerNormalisation(Normalisation norm, bool perPixel) =>
        (x, w, _) =>
        {
            if (!perPixel)
                return functional.layer_norm(x[0], x[0].shape[1..], w.Scale, w.Bias, norm.Epsilon);
            using var channelsLast = x[0].permute(0, 2, 3, 1);
            using var normalised = functional.layer_norm(channelsLast, [x[0].size(1)], w.Scale, w.Bias, norm.Epsilon);
            return normalised.permute(0, 3, 1, 2);
        };

    private static Operation DropPath(double probability) =>
        (x, _, training) =>
        {
            if (!training || probability == 0)
                return x[0].alias();
            long[] perSample = [x[0].size(0), .. Enumerable.Repeat(1L, (int)x[0].dim() - 1)];
            double keep = 1 - probability;
            using var draw = rand(perSample, device: x[0].device);
            using var kept = draw.lt(Arithmetic.Number(keep));
            // Where nothing is ever kept there is nothing to scale.
            using var scale = kept.to(x[0].dtype).Times(keep > 0 ? 1 / keep : 0);
            return x[0].mul(scale);
        };

    private static Operation ChannelShuffle(int groups) =>
        (x, _, _) =>
        {
            long[] shape = x[0].shape;
            using var grouped = x[0].view(shape[0], groups, shape[1] / groups, shape[2], shape[3]);
            using var swapped = grouped.transpose(1, 2);
            return swapped.reshape(shape);
        };

    private static Operation Upsampling(int factor, Interpolation interpolation)
    {
        var mode = interpolation.IsBilinear ? InterpolationMode.Bilinear : InterpolationMode.Nearest;
        return (x, _, _) =>
            functional.interpolate(
                x[0],
                size: [x[0].size(2) * factor, x[0].size(3) * factor],
                mode: mode,
                align_corners: interpolation.IsBilinear ? false : null
            );
    }

    private static Operation Padding(Margins margins, PaddingMode paddingMode)
    {
        long[] sides = [margins.Left, margins.Right, margins.Top, margins.Bottom];
        var mode =
            paddingMode.IsReflect ? PaddingModes.Reflect
            : paddingMode.IsReplicate ? PaddingModes.Replicate
            : PaddingModes.Constant;
        return (x, _, _) => functional.pad(x[0], sides, mode);
    }

    private static Tensor LayerScale(IReadOnlyList<Tensor> x, LayerWeights w, bool training)
    {
        using var scale = w.Weight.view(1, -1, 1, 1);
        return x[0].mul(scale);
    }

    private static Operation Affine(IEnumerable<double> scale, IEnumerable<double> shift)
    {
        var (factor, offset) = (PerChannel(scale), PerChannel(shift));
        return (x, _, _) =>
        {
            long[] perChannel = [1, -1, .. Enumerable.Repeat(1L, (int)x[0].dim() - 2)];
            using var factors = factor.On(x[0].device).view(perChannel);
            using var offsets = offset.On(x[0].device).view(perChannel);
            using var scaled = x[0].mul(factors);
            return scaled.Plus(offsets);
        };
    }

    private static Constant PerChannel(IEnumerable<double> values)
    {
        float[] floats = [.. values.Select(value => (float)value)];
        return new Constant(floats, floats.Length);
    }

    /// <summary>Combines from the left, giving back what lies between.</summary>
    private static Tensor Fold(IReadOnlyList<Tensor> operands, Func<Tensor, Tensor, Tensor> combine)
    {
        var result = operands[0].alias();
        for (int i = 1; i < operands.Count; i++)
        {
            var next = combine(result, operands[i]);
            result.Dispose();
            result = next;
        }
        return result;
    }
}
