using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Activations; <see cref="nn.functional"/> has them with their options.</summary>
    public partial class Tensor
    {
        public Tensor relu() => Aten.relu.Call(this);

        public Tensor relu_() => Aten.relu_.Update(this);

        public Tensor relu6() => Aten.relu6.Call(this);

        public Tensor relu6_() => Aten.relu6_.Update(this);

        public Tensor selu() => Aten.selu.Call(this);

        public Tensor selu_() => Aten.selu_.Update(this);

        public Tensor silu() => Aten.silu.Call(this);

        public Tensor silu_() => Aten.silu_.Update(this);

        public Tensor hardswish() => Aten.hardswish.Call(this);

        public Tensor hardswish_() => Aten.hardswish_.Update(this);

        public Tensor hardsigmoid() => Aten.hardsigmoid.Call(this);

        public Tensor hardsigmoid_() => Aten.hardsigmoid_.Update(this);

        public Tensor gelu() => Aten.gelu.Call(this);

        public Tensor gelu_() => Aten.gelu_.Update(this);

        public Tensor log_sigmoid() => Aten.log_sigmoid.Call(this);

        public Tensor elu(double alpha = 1) => Aten.elu.Call(this, alpha);

        public Tensor elu_(double alpha = 1) => Aten.elu_.Update(this, alpha);

        public Tensor celu(Scalar alpha) => Aten.celu.Call(this, alpha);

        public Tensor celu_(Scalar alpha) => Aten.celu_.Update(this, alpha);

        public Tensor leaky_relu(Scalar negative_slope) => Aten.leaky_relu.Call(this, negative_slope);

        public Tensor leaky_relu_(Scalar negative_slope) => Aten.leaky_relu_.Update(this, negative_slope);

        public Tensor hardtanh(Scalar min, Scalar max) => Aten.hardtanh.Call(this, min, max);

        public Tensor hardtanh_(Scalar min, Scalar max) => Aten.hardtanh_.Update(this, min, max);

        public Tensor softplus(double beta = 1, double threshold = 20) => Aten.softplus.Call(this, beta, threshold);

        public Tensor prelu(Tensor target) => Aten.prelu.Call(this, target);

        public Tensor glu(long dim = -1) => Aten.glu.Call(this, dim);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Aten.softmax.Call(this, dim, dtype);

        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Aten.log_softmax.Call(this, dim, dtype);
    }

    public static Tensor softmax(Tensor input, int dim, ScalarType? dtype = null) => input.softmax(dim, dtype);
}
