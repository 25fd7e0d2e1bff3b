using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Each element to zero with probability p, the others grown to keep the mean.</summary>
            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
                Drop(Aten.dropout, Aten.dropout_, input, p, training, inplace);

            /// <summary>Whole channels of <c>[N,C,H,W]</c> to zero with probability p.</summary>
            public static Tensor dropout2d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
                Drop(Aten.feature_dropout, Aten.feature_dropout_, input, p, training, inplace);

            /// <summary>Dropout that keeps mean and variance behind a SELU. Klambauer et al. 2017, arXiv:1706.02515.</summary>
            public static Tensor alpha_dropout(
                Tensor input,
                double p = 0.5,
                bool training = false,
                bool inplace = false
            ) => Drop(Aten.alpha_dropout, Aten.alpha_dropout_, input, p, training, inplace);

            public static Tensor feature_alpha_dropout(
                Tensor input,
                double p = 0.5,
                bool training = false,
                bool inplace = false
            ) => Drop(Aten.feature_alpha_dropout, Aten.feature_alpha_dropout_, input, p, training, inplace);

            private static Tensor Drop(
                Operator fresh,
                Operator inPlace,
                Tensor input,
                double p,
                bool training,
                bool inplace
            ) => inplace ? inPlace.Update(input, p, training).alias() : fresh.Call(input, p, training);
        }
    }
}
