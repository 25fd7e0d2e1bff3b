using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// Adds at the edges. The list is (left, right) of the last dimension, then of the one before, and so on.
            /// </summary>
            public static Tensor pad(
                Tensor input,
                long[] pad,
                PaddingModes mode = PaddingModes.Constant,
                double value = 0
            ) =>
                Aten.pad.Call(
                    input,
                    pad,
                    NameOf(mode),
                    mode is PaddingModes.Constant or PaddingModes.Zeros ? value : (double?)null
                );

            public static Tensor pad(
                Tensor input,
                ReadOnlySpan<long> pad,
                PaddingModes mode = PaddingModes.Constant,
                double value = 0
            ) => functional.pad(input, pad.ToArray(), mode, value);

            public static Tensor pad(
                Tensor input,
                (long, long) pad,
                PaddingModes mode = PaddingModes.Constant,
                double value = 0
            ) => functional.pad(input, Pair(pad), mode, value);

            public static Tensor pad(
                Tensor input,
                (long, long, long, long) pad,
                PaddingModes mode = PaddingModes.Constant,
                double value = 0
            ) => functional.pad(input, [pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            public static Tensor pad(
                Tensor input,
                long pad,
                PaddingModes mode = PaddingModes.Constant,
                double value = 0
            ) => functional.pad(input, [pad, pad], mode, value);

            private static string NameOf(PaddingModes mode) =>
                mode switch
                {
                    PaddingModes.Constant or PaddingModes.Zeros => "constant",
                    PaddingModes.Reflect => "reflect",
                    PaddingModes.Replicate => "replicate",
                    PaddingModes.Circular => "circular",
                    _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, null),
                };

            /// <summary><c>[N,C,H,W]</c> to <c>[N,C,H',W']</c>, by sizes or by factors: one of the two.</summary>
            public static Tensor interpolate(
                Tensor x,
                long[]? size = null,
                double[]? scale_factor = null,
                InterpolationMode mode = InterpolationMode.Nearest,
                bool? align_corners = null,
                bool recompute_scale_factor = false,
                bool antialias = false
            )
            {
                if (size is null == scale_factor is null)
                    throw new ArgumentException("Give either a size or a scale_factor.");
                if (x.dim() != 4)
                    throw new NotSupportedException(
                        $"This engine resizes [N,C,H,W]; the tensor has {x.dim()} dimensions."
                    );
                if (recompute_scale_factor && scale_factor is not null)
                    (size, scale_factor) = (Scaled(x.shape, scale_factor), null);
                if (size is { Length: 1 })
                    size = [size[0], size[0]];
                if (scale_factor is { Length: 1 })
                    scale_factor = [scale_factor[0], scale_factor[0]];
                var aligned = align_corners ?? false;
                return (mode, antialias) switch
                {
                    (InterpolationMode.Nearest, false) => Aten.upsample_nearest2d.Call(x, size, scale_factor),
                    (InterpolationMode.NearestExact, false) => Aten.upsample_nearest_exact2d.Call(
                        x,
                        size,
                        scale_factor
                    ),
                    (InterpolationMode.Bilinear, false) => Aten.upsample_bilinear2d.Call(
                        x,
                        size,
                        aligned,
                        scale_factor
                    ),
                    (InterpolationMode.Bilinear, true) => Aten.upsample_bilinear2d_aa.Call(
                        x,
                        size,
                        aligned,
                        scale_factor
                    ),
                    (InterpolationMode.Bicubic, false) => Aten.upsample_bicubic2d.Call(x, size, aligned, scale_factor),
                    (InterpolationMode.Bicubic, true) => Aten.upsample_bicubic2d_aa.Call(
                        x,
                        size,
                        aligned,
                        scale_factor
                    ),
                    (InterpolationMode.Area, false) => adaptive_avg_pool2d(x, size ?? Scaled(x.shape, scale_factor!)),
                    _ => throw new NotSupportedException($"This engine does not resize [N,C,H,W] by {mode}."),
                };
            }

            private static long[] Scaled(long[] shape, double[] factors) =>
                [(long)Math.Floor(shape[2] * factors[0]), (long)Math.Floor(shape[3] * factors[^1])];

            /// <summary>Channels to pixels: <c>[N,C·r²,H,W]</c> to <c>[N,C,H·r,W·r]</c>. Shi et al. 2016, arXiv:1609.05158.</summary>
            public static Tensor pixel_shuffle(Tensor input, long upscale_factor) =>
                Aten.pixel_shuffle.Call(input, upscale_factor);

            public static Tensor pixel_unshuffle(Tensor input, long downscale_factor) =>
                Aten.pixel_unshuffle.Call(input, downscale_factor);
        }
    }
}
