using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            private static readonly long[] s_ones = [1, 1];
            private static readonly long[] s_zeros = [0, 0];

            /// <summary>Cross-correlation: <c>[N,C,H,W]</c> with weights <c>[K,C/groups,R,S]</c> to <c>[N,K,H',W']</c>.</summary>
            public static Tensor conv2d(
                Tensor input,
                Tensor weight,
                Tensor? bias = null,
                long[]? strides = null,
                long[]? padding = null,
                long[]? dilation = null,
                long groups = 1
            ) =>
                Aten.conv2d.Call(
                    input,
                    weight,
                    bias,
                    strides ?? s_ones,
                    padding ?? s_zeros,
                    dilation ?? s_ones,
                    groups
                );

            /// <summary>As <see cref="conv2d"/> with padding by name; <c>Same</c> needs a stride of 1.</summary>
            public static Tensor conv2d_padding(
                Tensor input,
                Tensor weight,
                Tensor? bias = null,
                long[]? strides = null,
                Padding padding = Padding.Valid,
                long[]? dilation = null,
                long groups = 1
            ) =>
                Aten.conv2dPadding.Call(
                    input,
                    weight,
                    bias,
                    strides ?? s_ones,
                    padding == Padding.Same ? "same" : "valid",
                    dilation ?? s_ones,
                    groups
                );

            /// <summary>The gradient of a convolution as an operator: <c>[N,C,H,W]</c> with <c>[C,K/groups,R,S]</c>.</summary>
            public static Tensor conv_transpose2d(
                Tensor input,
                Tensor weight,
                Tensor? bias = null,
                long[]? strides = null,
                long[]? padding = null,
                long[]? output_padding = null,
                long[]? dilation = null,
                long groups = 1
            ) =>
                Aten.conv_transpose2d.Call(
                    input,
                    weight,
                    bias,
                    strides ?? s_ones,
                    padding ?? s_zeros,
                    output_padding ?? s_zeros,
                    groups,
                    dilation ?? s_ones
                );

            /// <summary><c>[…,in]</c> with weights <c>[out,in]</c> to <c>[…,out]</c>.</summary>
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) =>
                Aten.linear.Call(input, weights, bias);

            /// <summary>Each window as a column: <c>[N,C,H,W]</c> to <c>[N,C·R·S,L]</c>.</summary>
            public static Tensor unfold(
                Tensor input,
                long kernel_size,
                long dilation = 1,
                long padding = 0,
                long stride = 1
            ) => unfold(input, (kernel_size, kernel_size), (dilation, dilation), (padding, padding), (stride, stride));

            public static Tensor unfold(
                Tensor input,
                (long, long) kernel_size,
                (long, long)? dilation = null,
                (long, long)? padding = null,
                (long, long)? stride = null
            ) =>
                Aten.im2col.Call(
                    input,
                    Pair(kernel_size),
                    Pair(dilation ?? (1, 1)),
                    Pair(padding ?? (0, 0)),
                    Pair(stride ?? (1, 1))
                );

            internal static long[] Pair((long, long) pair) => [pair.Item1, pair.Item2];

            private static long[]? Pair((long, long)? pair) => pair is { } given ? Pair(given) : null;

            private static long[]? Pair(long? both) => both is { } given ? [given, given] : null;
        }
    }
}
