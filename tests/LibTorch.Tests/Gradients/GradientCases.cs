using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Gradients;

/// <summary>One differentiable function: the shapes of its float64 inputs, and what it does with them.</summary>
/// <param name="Positive">Draw inputs from [0.5, 2) rather than around zero, for logarithms, roots and powers.</param>
public sealed record GradientCase(string Name, long[][] Shapes, Func<Tensor[], Tensor> Function, bool Positive = false)
{
    public override string ToString() => Name;
}

/// <summary>Every differentiable function of the engine, on inputs that are not square.</summary>
internal static class GradientCases
{
    private static readonly long[] s_image = [2, 4, 5, 7];
    private static readonly long[] s_matrix = [3, 5];

    private static GradientCase One(string name, Func<Tensor, Tensor> function, bool positive = false) =>
        new(name, [s_image], x => function(x[0]), positive);

    private static GradientCase Two(string name, Func<Tensor, Tensor, Tensor> function, bool positive = false) =>
        new(name, [s_image, s_image], x => function(x[0], x[1]), positive);

    public static IEnumerable<GradientCase> All =>
        [.. Arithmetic, .. Activations, .. Shapes, .. Reductions, .. Convolutions, .. Pools, .. Norms, .. Losses];

    private static IEnumerable<GradientCase> Arithmetic =>
        [
            Two("add", (a, b) => a + b),
            Two("add with alpha", (a, b) => a.add(b, 0.5)),
            new("add, broadcast", [s_image, [4, 1, 1]], x => x[0] + x[1]),
            Two("sub", (a, b) => a - b),
            One("scalar minus tensor", a => 3 - a),
            Two("mul", (a, b) => a * b),
            Two("div", (a, b) => a / b, positive: true),
            One("scalar over tensor", a => 2.0 / a, positive: true),
            Two("pow", (a, b) => a.pow(b), positive: true),
            One("pow of a scalar", a => a.pow(3)),
            One("neg", a => -a),
            One("abs", a => a.abs()),
            One("exp", a => a.exp()),
            One("log", a => a.log(), positive: true),
            One("sqrt", a => a.sqrt(), positive: true),
            One("rsqrt", a => a.rsqrt(), positive: true),
            One("reciprocal", a => a.reciprocal(), positive: true),
            One("square", a => a.square()),
            One("sin", a => a.sin()),
            One("cos", a => a.cos()),
            One("erf", a => a.erf()),
            One("clamp", a => a.clamp(-0.5, 0.7)),
            Two("maximum", (a, b) => a.maximum(b)),
            Two("minimum", (a, b) => a.minimum(b)),
            Two("where", (a, b) => where(a > 0, a, b)),
            Two("addcmul", (a, b) => a.addcmul(b, b, 0.3)),
            new(
                "matmul",
                [
                    [3, 5],
                    [5, 2],
                ],
                x => x[0].matmul(x[1])
            ),
            new(
                "mm",
                [
                    [3, 5],
                    [5, 2],
                ],
                x => x[0].mm(x[1])
            ),
            new(
                "linear",
                [
                    [3, 5],
                    [2, 5],
                    [2],
                ],
                x => F.linear(x[0], x[1], x[2])
            ),
        ];

    private static IEnumerable<GradientCase> Activations =>
        [
            One("relu", a => F.relu(a)),
            One("relu6", a => F.relu6(a * 4)),
            One("leaky_relu", a => F.leaky_relu(a, 0.1)),
            One("elu", a => F.elu(a, 0.7)),
            One("selu", a => F.selu(a)),
            One("celu", a => F.celu(a, 0.7)),
            One("gelu", a => F.gelu(a)),
            One("silu", a => F.silu(a)),
            One("mish", a => F.mish(a)),
            One("hardswish", a => F.hardswish(a * 3)),
            One("hardsigmoid", a => F.hardsigmoid(a * 3)),
            One("hardtanh", a => F.hardtanh(a, -0.5, 0.5)),
            One("sigmoid", a => F.sigmoid(a)),
            One("tanh", a => F.tanh(a)),
            One("softplus", a => F.softplus(a, 2, 20)),
            One("softsign", a => F.softsign(a)),
            One("logsigmoid", a => F.logsigmoid(a)),
            One("glu", a => F.glu(a, 1)),
            new("prelu", [s_image, [4]], x => F.prelu(x[0], x[1])),
            One("softmax", a => F.softmax(a, 1)),
            One("log_softmax", a => F.log_softmax(a, 3)),
        ];

    private static IEnumerable<GradientCase> Shapes =>
        [
            One("reshape", a => a.reshape(8, 35)),
            One("flatten", a => a.flatten(1)),
            One("permute", a => a.permute(0, 2, 3, 1)),
            One("transpose", a => a.transpose(2, 3)),
            One("unsqueeze and squeeze", a => a.unsqueeze(1).squeeze(1)),
            One("narrow", a => a.narrow(1, 1, 2)),
            One("slice", a => a.slice(3, 1, 6, 2)),
            One("index by ranges", a => a[.., 1..3, TensorIndex.Ellipsis, -1]),
            One("index_select", a => a.index_select(2, tensor(new long[] { 4, 0, 0 }))),
            One("gather", a => a.gather(1, zeros([2, 1, 5, 7], int64))),
            Two("cat", (a, b) => cat([a, b], 1)),
            Two("stack", (a, b) => stack([a, b], 2)),
            One("split", a => a.split([1, 3], 1)[1]),
            One("chunk", a => a.chunk(2, 1)[0]),
            One("expand", a => a.narrow(1, 0, 1).expand(2, 6, 5, 7)),
            One("repeat", a => a.repeat(1, 2, 1, 1)),
            One("flip", a => a.flip(2, 3)),
            One("channel_shuffle", a => a.channel_shuffle(2)),
            One("pixel_shuffle", a => F.pixel_shuffle(a, 2)),
            new(
                "pixel_unshuffle",
                [
                    [2, 1, 4, 6],
                ],
                x => F.pixel_unshuffle(x[0], 2)
            ),
            One("unfold", a => F.unfold(a, (2, 3), (1, 2), (1, 0), (2, 1))),
            One("pad, constant", a => F.pad(a, [1, 2, 0, 3], PaddingModes.Constant, 0.5)),
            One("pad, reflect", a => F.pad(a, [1, 2, 3, 0], PaddingModes.Reflect)),
            One("pad, replicate", a => F.pad(a, [1, 2, 3, 0], PaddingModes.Replicate)),
            One("pad, circular", a => F.pad(a, [1, 2, 3, 0], PaddingModes.Circular)),
            One("interpolate, nearest", a => F.interpolate(a, [8, 9])),
            One("interpolate, bilinear", a => F.interpolate(a, null, [1.5, 2.0], InterpolationMode.Bilinear)),
            One("interpolate, bicubic", a => F.interpolate(a, [8, 9], null, InterpolationMode.Bicubic, true)),
        ];

    private static IEnumerable<GradientCase> Reductions =>
        [
            One("sum", a => a.sum()),
            One("sum over dimensions", a => a.sum([2, 3], keepdim: true)),
            One("mean", a => a.mean()),
            One("mean over dimensions", a => a.mean([0, 2])),
            One("var", a => a.var(1)),
            One("std", a => a.std([2, 3], unbiased: false)),
            One("max", a => a.max(3).Item1),
            One("min", a => a.min(2).Item1),
            One("topk", a => a.topk(2, 1).Item1),
            One("logsumexp", a => a.logsumexp(1)),
            One("norm", a => a.norm()),
            One("normalize", a => F.normalize(a, 2, 1)),
            One("cumsum", a => a.cumsum(2)),
            One("prod", a => a.prod(3), positive: true),
        ];

    private static IEnumerable<GradientCase> Convolutions =>
        [
            new("conv2d", [s_image, [3, 4, 2, 3], [3]], x => F.conv2d(x[0], x[1], x[2])),
            new(
                "conv2d, asymmetric",
                [s_image, [6, 2, 3, 2], [6]],
                x => F.conv2d(x[0], x[1], x[2], [2, 1], [1, 2], [1, 3], 2)
            ),
            new("conv2d, depthwise", [s_image, [4, 1, 3, 3]], x => F.conv2d(x[0], x[1], groups: 4)),
            new("conv2d, same", [s_image, [3, 4, 2, 3]], x => F.conv2d_padding(x[0], x[1], padding: Padding.Same)),
            new(
                "conv_transpose2d",
                [s_image, [4, 3, 2, 3], [3]],
                x => F.conv_transpose2d(x[0], x[1], x[2], [2, 3], [1, 0], [1, 2])
            ),
        ];

    private static IEnumerable<GradientCase> Pools =>
        [
            One("max_pool2d", a => F.max_pool2d(a, [2, 3], [2, 1], [1, 1], [1, 2], true)),
            One("avg_pool2d", a => F.avg_pool2d(a, [2, 3], [1, 2], [1, 1], true, false)),
            One("avg_pool2d, own divisor", a => F.avg_pool2d(a, [2, 3], divisor_override: 5)),
            One("adaptive_avg_pool2d", a => F.adaptive_avg_pool2d(a, (3, 2))),
            One("adaptive_max_pool2d", a => F.adaptive_max_pool2d(a, [2, 3])),
        ];

    private static IEnumerable<GradientCase> Norms =>
        [
            new(
                "batch_norm, training",
                [s_image, [4], [4]],
                x => F.batch_norm(x[0], zeros(4, float64), ones(4, float64), x[1], x[2], training: true)
            ),
            new(
                "batch_norm, evaluating",
                [s_image, [4], [4]],
                x => F.batch_norm(x[0], full(4, 0.3, float64), full(4, 1.7, float64), x[1], x[2])
            ),
            new("layer_norm", [s_image, [5, 7], [5, 7]], x => F.layer_norm(x[0], [5, 7], x[1], x[2])),
            new("group_norm", [s_image, [4], [4]], x => F.group_norm(x[0], 2, x[1], x[2])),
            new("instance_norm", [s_image, [4], [4]], x => F.instance_norm(x[0], null, null, x[1], x[2])),
            One("local_response_norm", a => F.local_response_norm(a, 3, 0.5, 0.75, 2)),
        ];

    private static IEnumerable<GradientCase> Losses =>
        [
            new("cross_entropy", [s_matrix], x => F.cross_entropy(x[0], Classes)),
            new(
                "cross_entropy, weighted and smoothed",
                [s_matrix],
                x => F.cross_entropy(x[0], Classes, arange(1, 6, float64), label_smoothing: 0.1)
            ),
            new("cross_entropy, ignoring", [s_matrix], x => F.cross_entropy(x[0], Classes, ignore_index: 4)),
            new("cross_entropy, probabilities", [s_matrix, s_matrix], x => F.cross_entropy(x[0], x[1].softmax(1))),
            new("nll_loss", [s_matrix], x => F.nll_loss(x[0].log_softmax(1), Classes, null, Reduction.Sum)),
            Two("mse_loss", (a, b) => F.mse_loss(a, b)),
            Two("l1_loss", (a, b) => F.l1_loss(a, b, Reduction.None)),
            Two("smooth_l1_loss", (a, b) => F.smooth_l1_loss(a, b, beta: 0.5)),
            Two("binary_cross_entropy", (a, b) => F.binary_cross_entropy(a.sigmoid(), b.sigmoid().detach())),
            Two(
                "binary_cross_entropy_with_logits",
                (a, b) =>
                    F.binary_cross_entropy_with_logits(a, b.sigmoid().detach(), pos_weights: full(7, 2.0, float64))
            ),
            Two("kl_div", (a, b) => F.kl_div(a.log_softmax(1), b.log_softmax(1))),
        ];

    private static Tensor Classes => tensor(new long[] { 4, 0, 2 });
}
