using CnnSpec.LibTorch;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static class utils
        {
            /// <summary>Shrinks all gradients together so that their norm is at most <paramref name="max_norm"/>.</summary>
            /// <returns>The norm before.</returns>
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2)
            {
                using var scope = NewDisposeScope();
                using var _ = no_grad();
                var gradients = Gradients(tensors);
                if (gradients.Length == 0)
                    return 0;
                using var total = double.IsInfinity(norm_type)
                    ? stack(gradients.Select(gradient => gradient.abs().max().@float())).max()
                    : stack(Aten.foreach_norm.CallList(gradients, norm_type)).norm((float)norm_type);
                var norm = total.ToDouble();
                var shrink = max_norm / (norm + 1e-6);
                if (shrink < 1)
                    Aten.foreach_mul_.Run(gradients, shrink);
                return norm;
            }

            /// <summary>Clips every element of every gradient to [-value, value].</summary>
            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                using var scope = NewDisposeScope();
                using var _ = no_grad();
                foreach (var gradient in Gradients(tensors))
                    gradient.clamp_(-clip_value, clip_value);
            }

            private static Tensor[] Gradients(IEnumerable<Parameter> tensors) =>
                [.. tensors.Select(t => t.grad).OfType<Tensor>()];
        }
    }
}
