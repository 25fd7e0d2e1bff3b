using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// Each channel of <c>[N,C,…]</c> to mean 0 and variance 1, over the batch when training, else by the running
            /// statistics <c>[C]</c>, which training updates in place. Ioffe and Szegedy 2015, arXiv:1502.03167.
            /// </summary>
            public static Tensor batch_norm(
                Tensor input,
                Tensor? running_mean,
                Tensor? running_var,
                Tensor? weight = null,
                Tensor? bias = null,
                bool training = false,
                double momentum = 0.1,
                double eps = 1E-05
            ) =>
                Aten.batch_norm.Call(
                    input,
                    weight,
                    bias,
                    running_mean,
                    running_var,
                    training,
                    momentum,
                    eps,
                    // cudnn: libtorch uses it where it is there.
                    true
                );

            /// <summary>Each sample over its last dimensions, which are <paramref name="normalized_shape"/>.</summary>
            public static Tensor layer_norm(
                Tensor input,
                long[] normalized_shape,
                Tensor? weight = null,
                Tensor? bias = null,
                double eps = 1E-05
            ) => Aten.layer_norm.Call(input, normalized_shape, weight, bias, eps);

            /// <summary>Each sample over each group of channels of <c>[N,C,…]</c>. Wu and He 2018, arXiv:1803.08494.</summary>
            public static Tensor group_norm(
                Tensor input,
                long num_groups,
                Tensor? weight = null,
                Tensor? bias = null,
                double eps = 1E-05
            ) => Aten.group_norm.Call(input, num_groups, weight, bias, eps);

            /// <summary>Each sample over each channel of <c>[N,C,…]</c>.</summary>
            public static Tensor instance_norm(
                Tensor input,
                Tensor? running_mean = null,
                Tensor? running_var = null,
                Tensor? weight = null,
                Tensor? bias = null,
                bool use_input_stats = true,
                double momentum = 0.1,
                double eps = 1E-05
            ) =>
                Aten.instance_norm.Call(
                    input,
                    weight,
                    bias,
                    running_mean,
                    running_var,
                    use_input_stats,
                    momentum,
                    eps,
                    true
                );

            /// <summary>
            /// Divides by a power of the mean square over <paramref name="size"/> neighbouring channels of <c>[N,C,H,W]</c>.
            /// Krizhevsky et al. 2012, section 3.3; alpha is divided by size, as PyTorch does.
            /// </summary>
            public static Tensor local_response_norm(
                Tensor input,
                long size,
                double alpha = 0.0001,
                double beta = 0.75,
                double k = 1
            )
            {
                using var scope = NewDisposeScope();
                // Channels become the depth of a one-channel volume, so that one average pool runs along them.
                var shape = input.shape;
                var squares = input
                    .mul(input)
                    .view(shape[0], 1, shape[1], shape[2], input.numel() / Math.Max(1, shape[0] * shape[1] * shape[2]));
                var padded = pad(squares, [0, 0, 0, 0, size / 2, (size - 1) / 2]);
                var means = Aten
                    .avg_pool3d.Call(padded, (long[])[size, 1, 1], (long[])[1, 1, 1])
                    .squeeze(1)
                    .view(shape);
                return input.div(means.mul(alpha).add(k).pow(beta)).MoveToOuterDisposeScope();
            }

            /// <summary>Each vector along <paramref name="dim"/> to length 1 in the p-norm.</summary>
            public static Tensor normalize(Tensor input, double p = 2, long dim = 1, double eps = 1E-12)
            {
                using var scope = NewDisposeScope();
                var length = input.norm((int)dim, keepdim: true, (float)p).clamp_min(eps);
                return input.div(length).MoveToOuterDisposeScope();
            }
        }
    }
}
