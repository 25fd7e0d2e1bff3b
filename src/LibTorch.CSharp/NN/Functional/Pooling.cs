using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            // A window's stride is its size where nothing else is said; an empty list tells libtorch so.
            private static readonly long[] s_asKernel = [];

            /// <summary>The largest of each window: <c>[N,C,H,W]</c> to <c>[N,C,H',W']</c>.</summary>
            public static Tensor max_pool2d(
                Tensor input,
                long[] kernel_size,
                long[]? strides = null,
                long[]? padding = null,
                long[]? dilation = null,
                bool ceil_mode = false
            ) =>
                Aten.max_pool2d.Call(
                    input,
                    kernel_size,
                    strides ?? s_asKernel,
                    padding ?? s_zeros,
                    dilation ?? s_ones,
                    ceil_mode
                );

            public static Tensor max_pool2d(
                Tensor input,
                long kernel_size,
                long? stride = null,
                long? padding = null,
                long? dilation = null,
                bool ceil_mode = false
            ) => max_pool2d(input, [kernel_size, kernel_size], Pair(stride), Pair(padding), Pair(dilation), ceil_mode);

            public static Tensor max_pool2d(
                Tensor input,
                (long, long) kernel_size,
                (long, long)? stride = null,
                (long, long)? padding = null,
                (long, long)? dilation = null,
                bool ceil_mode = false
            ) => max_pool2d(input, Pair(kernel_size), Pair(stride), Pair(padding), Pair(dilation), ceil_mode);

            /// <summary>As <see cref="max_pool2d(Tensor, long[], long[], long[], long[], bool)"/>, and where each was.</summary>
            public static (Tensor output, Tensor indices) max_pool2d_with_indices(
                Tensor input,
                long[] kernel_size,
                long[]? strides = null,
                long[]? padding = null,
                long[]? dilation = null,
                bool ceil_mode = false
            ) =>
                Aten.max_pool2d_with_indices.Call2(
                    input,
                    kernel_size,
                    strides ?? s_asKernel,
                    padding ?? s_zeros,
                    dilation ?? s_ones,
                    ceil_mode
                );

            /// <summary>The mean of each window: <c>[N,C,H,W]</c> to <c>[N,C,H',W']</c>.</summary>
            public static Tensor avg_pool2d(
                Tensor input,
                long[] kernel_size,
                long[]? stride = null,
                long[]? padding = null,
                bool ceil_mode = false,
                bool count_include_pad = true,
                long? divisor_override = null
            ) =>
                Aten.avg_pool2d.Call(
                    input,
                    kernel_size,
                    stride ?? s_asKernel,
                    padding ?? s_zeros,
                    ceil_mode,
                    count_include_pad,
                    divisor_override
                );

            public static Tensor avg_pool2d(
                Tensor input,
                long kernel_size,
                long? stride = null,
                long padding = 0,
                bool ceil_mode = false,
                bool count_include_pad = true,
                long? divisor_override = null
            ) =>
                avg_pool2d(
                    input,
                    [kernel_size, kernel_size],
                    Pair(stride),
                    [padding, padding],
                    ceil_mode,
                    count_include_pad,
                    divisor_override
                );

            public static Tensor avg_pool2d(
                Tensor input,
                (long, long) kernel_size,
                (long, long)? stride = null,
                (long, long)? padding = null,
                bool ceil_mode = false,
                bool count_include_pad = true,
                long? divisor_override = null
            ) =>
                avg_pool2d(
                    input,
                    Pair(kernel_size),
                    Pair(stride),
                    Pair(padding),
                    ceil_mode,
                    count_include_pad,
                    divisor_override
                );

            /// <summary>The mean of as many windows as <paramref name="output_size"/> says, whatever the input's size.</summary>
            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) =>
                Aten.adaptive_avg_pool2d.Call(input, output_size);

            public static Tensor adaptive_avg_pool2d(Tensor input, (long, long) output_size) =>
                adaptive_avg_pool2d(input, Pair(output_size));

            public static Tensor adaptive_avg_pool2d(Tensor input, long output_size) =>
                adaptive_avg_pool2d(input, [output_size, output_size]);

            public static Tensor adaptive_max_pool2d(Tensor input, long[] output_size)
            {
                var (output, indices) = adaptive_max_pool2d_with_indices(input, output_size);
                indices.Dispose();
                return output;
            }

            public static (Tensor output, Tensor indices) adaptive_max_pool2d_with_indices(
                Tensor input,
                long[] output_size
            ) => Aten.adaptive_max_pool2d.Call2(input, output_size);
        }
    }
}
