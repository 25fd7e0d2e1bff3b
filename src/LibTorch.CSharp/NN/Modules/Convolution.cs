using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary><c>[N,in,H,W]</c> to <c>[N,out,H',W']</c>, with weights drawn as PyTorch draws them.</summary>
            public static Conv2d Conv2d(
                long in_channels,
                long out_channels,
                long kernel_size,
                long stride = 1,
                long padding = 0,
                long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros,
                long groups = 1,
                bool bias = true,
                Device? device = null,
                ScalarType? dtype = null
            ) =>
                Conv2d(
                    in_channels,
                    out_channels,
                    (kernel_size, kernel_size),
                    (stride, stride),
                    (padding, padding),
                    (dilation, dilation),
                    padding_mode,
                    groups,
                    bias,
                    device,
                    dtype
                );

            public static Conv2d Conv2d(
                long in_channels,
                long out_channels,
                (long, long) kernel_size,
                (long, long)? stride = null,
                (long, long)? padding = null,
                (long, long)? dilation = null,
                PaddingModes padding_mode = PaddingModes.Zeros,
                long groups = 1,
                bool bias = true,
                Device? device = null,
                ScalarType? dtype = null
            ) =>
                new(
                    nameof(Conv2d),
                    in_channels,
                    out_channels,
                    functional.Pair(kernel_size),
                    functional.Pair(stride ?? (1, 1)),
                    functional.Pair(padding ?? (0, 0)),
                    functional.Pair(dilation ?? (1, 1)),
                    groups,
                    bias,
                    padding_mode,
                    device,
                    dtype
                );
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>What convolutions share: their geometry and their weights <c>[K,C/groups,R,S]</c> and bias <c>[K]</c>.</summary>
    public abstract class Convolution : nn.Module<Tensor, Tensor>
    {
        private protected Convolution(
            string name,
            long in_channels,
            long out_channels,
            long[] kernel_size,
            long[] stride,
            long[] padding,
            long[] dilation,
            long groups,
            bool bias,
            PaddingModes padding_mode,
            Device? device,
            ScalarType? dtype
        )
            : base(name)
        {
            if (in_channels % groups != 0 || out_channels % groups != 0)
                throw new ArgumentException(
                    $"{groups} groups do not divide {in_channels} and {out_channels} channels."
                );
            (this.in_channels, this.out_channels, this.groups) = (in_channels, out_channels, groups);
            (this.kernel_size, this.stride, this.padding, this.dilation) = (kernel_size, stride, padding, dilation);
            this.padding_mode = padding_mode;
            weight = nn.Parameter(empty([out_channels, in_channels / groups, .. kernel_size], dtype, device));
            this.bias = bias ? nn.Parameter(empty(out_channels, dtype, device)) : null;
            reset_parameters();
            register_parameter(nameof(weight), weight);
            if (this.bias is not null)
                register_parameter(nameof(this.bias), this.bias);
        }

        public long in_channels { get; }

        public long out_channels { get; }

        public long groups { get; set; }

        public long[] kernel_size { get; set; }

        public long[] stride { get; set; }

        public long[] padding { get; }

        public long[] dilation { get; set; }

        public PaddingModes padding_mode { get; set; }

        public Parameter weight { get; set; }

        public Parameter? bias { get; set; }

        /// <summary>Draws weights and bias anew from U(-1/√fan_in, 1/√fan_in).</summary>
        public void reset_parameters()
        {
            nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
            if (bias is null)
                return;
            var bound = 1 / Math.Sqrt(nn.init.CalculateFanInAndFanOut(weight).fanIn);
            nn.init.uniform_(bias, -bound, bound);
        }
    }

    /// <summary><c>[N,C,H,W]</c> to <c>[N,K,H',W']</c>.</summary>
    public sealed class Conv2d : Convolution
    {
        internal Conv2d(
            string name,
            long in_channels,
            long out_channels,
            long[] kernel_size,
            long[] stride,
            long[] padding,
            long[] dilation,
            long groups,
            bool bias,
            PaddingModes padding_mode,
            Device? device,
            ScalarType? dtype
        )
            : base(
                name,
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding,
                dilation,
                groups,
                bias,
                padding_mode,
                device,
                dtype
            ) { }

        public override Tensor forward(Tensor input)
        {
            if (padding_mode == PaddingModes.Zeros)
                return nn.functional.conv2d(input, weight, bias, stride, padding, dilation, groups);
            using var padded = nn.functional.pad(input, [padding[1], padding[1], padding[0], padding[0]], padding_mode);
            return nn.functional.conv2d(padded, weight, bias, stride, [0, 0], dilation, groups);
        }
    }
}
