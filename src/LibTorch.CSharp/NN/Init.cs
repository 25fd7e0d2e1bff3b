using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Starting values for parameters, in place.</summary>
        public static class init
        {
            /// <summary>Whether a variance is kept forwards or backwards.</summary>
            public enum FanInOut
            {
                FanIn = 0,
                FanOut = 1,
            }

            /// <summary>What follows a layer, for the gain that makes up for it.</summary>
            public enum NonlinearityType
            {
                Linear = 0,
                Conv1D = 1,
                Conv2D = 2,
                Conv3D = 3,
                ConvTranspose1D = 4,
                ConvTranspose2D = 5,
                ConvTranspose3D = 6,
                Sigmoid = 7,
                Tanh = 8,
                ReLU = 9,
                LeakyReLU = 10,
            }

            public static double calculate_gain(NonlinearityType nonlinearity, double param = 0) =>
                nonlinearity switch
                {
                    NonlinearityType.Tanh => 5.0 / 3.0,
                    NonlinearityType.ReLU => Math.Sqrt(2.0),
                    NonlinearityType.LeakyReLU => Math.Sqrt(2.0 / (1 + param * param)),
                    _ => 1.0,
                };

            /// <summary>How many inputs and outputs one unit of weights <c>[out,in,…]</c> has.</summary>
            public static (long fanIn, long fanOut) CalculateFanInAndFanOut(Tensor tensor)
            {
                var shape = tensor.shape;
                if (shape.Length < 2)
                    throw new ArgumentException($"Fans need at least 2 dimensions; this tensor has {shape.Length}.");
                var receptive = shape.Skip(2).Aggregate(1L, (product, size) => product * size);
                return (shape[1] * receptive, shape[0] * receptive);
            }

            public static Tensor constant_(Tensor tensor, Scalar val) => Silently(tensor, t => t.fill_(val));

            public static Tensor zeros_(Tensor tensor) => Silently(tensor, t => t.zero_());

            public static Tensor ones_(Tensor tensor) => constant_(tensor, 1.0);

            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null) =>
                Silently(tensor, t => t.normal_(mean, std, generator));

            public static Tensor uniform_(
                Tensor tensor,
                double low = 0,
                double high = 1,
                Generator? generator = null
            ) => Silently(tensor, t => t.uniform_(low, high, generator));

            /// <summary>A normal distribution without what lies outside [a, b], by its inverse distribution function.</summary>
            public static Tensor trunc_normal_(
                Tensor tensor,
                double mean = 0,
                double std = 1,
                double a = -2,
                double b = 2,
                Generator? generator = null
            )
            {
                var low = Cdf((a - mean) / std);
                var high = Cdf((b - mean) / std);
                return Silently(
                    tensor,
                    t =>
                        Aten.erfinv_.Update(t.uniform_(2 * low - 1, 2 * high - 1, generator))
                            .mul_(std * Math.Sqrt(2))
                            .add_(mean)
                            .clamp_(a, b)
                );
            }

            // Abramowitz and Stegun's formulas are too coarse here, and .NET has no erf; libtorch has.
            private static double Cdf(double x)
            {
                using var scope = NewDisposeScope();
                return 0.5 * (1 + tensor(x / Math.Sqrt(2), float64).erf().item<double>());
            }

            /// <summary>He et al. 2015, arXiv:1502.01852.</summary>
            public static Tensor kaiming_normal_(
                Tensor tensor,
                double a = 0,
                FanInOut mode = FanInOut.FanIn,
                NonlinearityType nonlinearity = NonlinearityType.LeakyReLU
            ) => normal_(tensor, 0, KaimingStd(tensor, a, mode, nonlinearity));

            /// <summary>He et al. 2015, arXiv:1502.01852.</summary>
            public static Tensor kaiming_uniform_(
                Tensor tensor,
                double a = 0,
                FanInOut mode = FanInOut.FanIn,
                NonlinearityType nonlinearity = NonlinearityType.LeakyReLU
            )
            {
                var bound = Math.Sqrt(3.0) * KaimingStd(tensor, a, mode, nonlinearity);
                return uniform_(tensor, -bound, bound);
            }

            private static double KaimingStd(Tensor tensor, double a, FanInOut mode, NonlinearityType nonlinearity)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                return calculate_gain(nonlinearity, a) / Math.Sqrt(mode == FanInOut.FanIn ? fanIn : fanOut);
            }

            /// <summary>Glorot and Bengio 2010.</summary>
            public static Tensor xavier_normal_(Tensor tensor, double gain = 1) =>
                normal_(tensor, 0, XavierStd(tensor, gain));

            /// <summary>Glorot and Bengio 2010.</summary>
            public static Tensor xavier_uniform_(Tensor tensor, double gain = 1)
            {
                var bound = Math.Sqrt(3.0) * XavierStd(tensor, gain);
                return uniform_(tensor, -bound, bound);
            }

            private static double XavierStd(Tensor tensor, double gain)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                return gain * Math.Sqrt(2.0 / (fanIn + fanOut));
            }

            /// <summary>Rows (or columns, whichever are fewer) at right angles. Saxe et al. 2013, arXiv:1312.6120.</summary>
            public static Tensor orthogonal_(Tensor tensor, double gain = 1)
            {
                using var scope = NewDisposeScope();
                using var _ = no_grad();
                var rows = tensor.size(0);
                var columns = tensor.numel() / rows;
                var normal = randn([rows, columns], tensor.dtype, tensor.device);
                var (q, r) = Aten.linalg_qr.Call2(rows < columns ? normal.t() : normal);
                // The signs of r's diagonal make the distribution uniform.
                q = q.mul(Aten.diagonal.Call(r).sign());
                tensor.copy_((rows < columns ? q.t() : q).reshape(tensor.shape).mul(gain));
                return tensor;
            }

            private static Tensor Silently(Tensor tensor, Func<Tensor, Tensor> fill)
            {
                using var _ = no_grad();
                fill(tensor);
                return tensor;
            }
        }
    }
}
