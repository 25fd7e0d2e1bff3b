using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static MaxPool2d MaxPool2d(
                long kernel_size,
                long? stride = null,
                long? padding = null,
                long? dilation = null,
                bool ceil_mode = false
            ) => MaxPool2d([kernel_size, kernel_size], Both(stride), Both(padding), Both(dilation), ceil_mode);

            public static MaxPool2d MaxPool2d(
                long[] kernel_size,
                long[]? stride = null,
                long[]? padding = null,
                long[]? dilation = null,
                bool ceil_mode = false
            ) => new(kernel_size, stride, padding, dilation, ceil_mode);

            public static AvgPool2d AvgPool2d(
                long kernel_size,
                long? stride = null,
                long? padding = null,
                bool ceil_mode = false,
                bool count_include_pad = true,
                long? divisor_override = null
            ) =>
                AvgPool2d(
                    [kernel_size, kernel_size],
                    Both(stride),
                    Both(padding),
                    ceil_mode,
                    count_include_pad,
                    divisor_override
                );

            public static AvgPool2d AvgPool2d(
                long[] kernel_size,
                long[]? stride = null,
                long[]? padding = null,
                bool ceil_mode = false,
                bool count_include_pad = true,
                long? divisor_override = null
            ) => new(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long[] output_size) => new(output_size);

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long output_size) => new([output_size, output_size]);

            private static long[]? Both(long? size) => size is { } both ? [both, both] : null;
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>The largest of each window of <c>[N,C,H,W]</c>.</summary>
    public sealed class MaxPool2d : ParameterLessModule<Tensor, Tensor>
    {
        internal MaxPool2d(long[] kernel_size, long[]? stride, long[]? padding, long[]? dilation, bool ceil_mode)
            : base(nameof(MaxPool2d)) =>
            (this.kernel_size, this.stride, this.padding, this.dilation, this.ceil_mode) = (
                kernel_size,
                stride,
                padding,
                dilation,
                ceil_mode
            );

        public long[] kernel_size { get; set; }

        public long[]? stride { get; set; }

        public long[]? padding { get; set; }

        public long[]? dilation { get; set; }

        public bool ceil_mode { get; set; }

        public override Tensor forward(Tensor input) =>
            nn.functional.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode);
    }

    /// <summary>The mean of each window of <c>[N,C,H,W]</c>.</summary>
    public sealed class AvgPool2d : ParameterLessModule<Tensor, Tensor>
    {
        internal AvgPool2d(
            long[] kernel_size,
            long[]? stride,
            long[]? padding,
            bool ceil_mode,
            bool count_include_pad,
            long? divisor_override
        )
            : base(nameof(AvgPool2d))
        {
            (this.kernel_size, this.stride, this.padding) = (kernel_size, stride, padding);
            this.ceil_mode = ceil_mode;
            this.count_include_pad = count_include_pad;
            this.divisor_override = divisor_override;
        }

        public long[] kernel_size { get; set; }

        public long[]? stride { get; set; }

        public long[]? padding { get; set; }

        public bool ceil_mode { get; set; }

        public bool count_include_pad { get; set; }

        public long? divisor_override { get; set; }

        public override Tensor forward(Tensor input) =>
            nn.functional.avg_pool2d(
                input,
                kernel_size,
                stride,
                padding,
                ceil_mode,
                count_include_pad,
                divisor_override
            );
    }

    /// <summary>Means over as many windows as are asked for, whatever the size of <c>[N,C,H,W]</c>.</summary>
    public sealed class AdaptiveAvgPool2d : ParameterLessModule<Tensor, Tensor>
    {
        internal AdaptiveAvgPool2d(long[] output_size)
            : base(nameof(AdaptiveAvgPool2d)) => this.output_size = output_size;

        public long[] output_size { get; set; }

        public override Tensor forward(Tensor input) => nn.functional.adaptive_avg_pool2d(input, output_size);
    }
}
