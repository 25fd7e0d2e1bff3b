using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary><c>[…,in]</c> to <c>[…,out]</c>, with weights drawn as PyTorch draws them.</summary>
            public static Linear Linear(
                long inputSize,
                long outputSize,
                bool hasBias = true,
                Device? device = null,
                ScalarType? dtype = null
            ) => new(inputSize, outputSize, hasBias, device, dtype);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary><c>x·Wᵀ + b</c>, with W <c>[out,in]</c> and b <c>[out]</c>.</summary>
    public class Linear : nn.Module<Tensor, Tensor>
    {
        internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype)
            : base(nameof(Linear))
        {
            (in_features, out_features) = (inputSize, outputSize);
            weight = nn.Parameter(empty(outputSize, inputSize, dtype, device));
            nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
            register_parameter(nameof(weight), weight);
            if (!hasBias)
                return;
            bias = nn.Parameter(empty(outputSize, dtype, device));
            var bound = 1 / Math.Sqrt(inputSize);
            nn.init.uniform_(bias, -bound, bound);
            register_parameter(nameof(bias), bias);
        }

        public long in_features { get; set; }

        public long out_features { get; set; }

        public Parameter weight { get; set; }

        public Parameter? bias { get; set; }

        public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, weight, bias);
    }
}
