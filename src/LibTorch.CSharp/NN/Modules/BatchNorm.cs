using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Normalizes each channel of <c>[N,C,H,W]</c>.</summary>
            public static BatchNorm2d BatchNorm2d(
                long num_features,
                double eps = 1e-05,
                double momentum = 0.1,
                bool affine = true,
                bool track_running_stats = true,
                Device? device = null,
                ScalarType? dtype = null
            ) => new(num_features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>What norms over channels share: scale and shift, and running statistics, each <c>[C]</c>.</summary>
    public abstract class NormBase : nn.Module<Tensor, Tensor>
    {
        private protected NormBase(
            long num_features,
            double eps,
            double? momentum,
            bool affine,
            bool track_running_stats,
            Device? device,
            ScalarType? dtype,
            string name
        )
            : base(name)
        {
            (this.num_features, this.eps, this.momentum) = (num_features, eps, momentum);
            (this.affine, this.track_running_stats) = (affine, track_running_stats);
            if (affine)
            {
                register_parameter(nameof(weight), weight = nn.Parameter(ones(num_features, dtype, device)));
                register_parameter(nameof(bias), bias = nn.Parameter(zeros(num_features, dtype, device)));
            }
            if (!track_running_stats)
                return;
            register_buffer(nameof(running_mean), running_mean = zeros(num_features, dtype, device));
            register_buffer(nameof(running_var), running_var = ones(num_features, dtype, device));
            register_buffer(nameof(num_batches_tracked), num_batches_tracked = tensor(0L, device: device));
        }

        public long num_features { get; }

        public double eps { get; set; }

        public double? momentum { get; set; }

        public bool affine { get; }

        public bool track_running_stats { get; }

        public Parameter? weight { get; set; }

        public Parameter? bias { get; set; }

        public Tensor? running_mean { get; set; }

        public Tensor? running_var { get; set; }

        public Tensor? num_batches_tracked { get; set; }

        protected abstract void ValidateInputDimensions(Tensor input);
    }

    public abstract class BatchNorm : NormBase
    {
        private protected BatchNorm(
            long num_features,
            double eps,
            double? momentum,
            bool affine,
            bool track_running_stats,
            Device? device,
            ScalarType? dtype,
            string name
        )
            : base(num_features, eps, momentum, affine, track_running_stats, device, dtype, name) { }

        public override Tensor forward(Tensor input)
        {
            ValidateInputDimensions(input);
            if (training)
                num_batches_tracked?.add_(1);
            return nn.functional.batch_norm(
                input,
                running_mean,
                running_var,
                weight,
                bias,
                training || !track_running_stats,
                momentum ?? 0.1,
                eps
            );
        }
    }

    public sealed class BatchNorm2d : BatchNorm
    {
        internal BatchNorm2d(
            long num_features,
            double eps,
            double momentum,
            bool affine,
            bool track_running_stats,
            Device? device,
            ScalarType? dtype
        )
            : base(num_features, eps, momentum, affine, track_running_stats, device, dtype, nameof(BatchNorm2d)) { }

        protected override void ValidateInputDimensions(Tensor input)
        {
            if (input.dim() != 4)
                throw new ArgumentException($"BatchNorm2d takes [N,C,H,W]; the input has {input.dim()} dimensions.");
        }
    }
}
