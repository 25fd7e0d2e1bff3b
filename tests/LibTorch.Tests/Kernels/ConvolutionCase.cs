namespace CnnSpec.LibTorch.Tests.Kernels;

/// <summary>One convolution: channels, filters, map, window.</summary>
public sealed record ConvolutionCase(
    long Channels,
    long Filters,
    long Height,
    long Width,
    (long H, long W) Kernel,
    (long H, long W) Stride,
    (long H, long W) Padding,
    (long H, long W) Dilation
)
{
    public long Images { get; init; } = 5;

    public long Groups { get; init; } = 1;

    public override string ToString() =>
        $"{Channels}→{Filters} on {Height}×{Width}, kernel {Kernel}, stride {Stride}, padding {Padding}, dilation {Dilation}, "
        + $"groups {Groups}, {Images} images";

    public long[] Strides => [Stride.H, Stride.W];

    public long[] Paddings => [Padding.H, Padding.W];

    public long[] Dilations => [Dilation.H, Dilation.W];

    public static IEnumerable<ConvolutionCase> OfOneGroup() => All().Where(one => one.Groups == 1);

    /// <summary>Maps of even and odd sides, tiles that hang over every edge, padding of each side from none to the window's,
    /// channels in one and in several runs, and windows that only the general method or only libtorch takes.</summary>
    public static IEnumerable<ConvolutionCase> All()
    {
        foreach (var (channels, filters) in new[] { (16, 16), (16, 32), (32, 16), (48, 64), (64, 48), (96, 32) })
        foreach (var (height, width) in new[] { (12, 10), (9, 13), (8, 7), (11, 8) })
            yield return new(channels, filters, height, width, (3, 3), (1, 1), (1, 1), (1, 1));
        foreach (var (down, across) in new[] { (0L, 0L), (2L, 2L), (0L, 2L), (2L, 1L), (1L, 0L) })
            yield return new(32, 32, 10, 15, (3, 3), (1, 1), (down, across), (1, 1));
        foreach (var (down, across) in new[] { (2L, 2L), (0L, 4L), (3L, 1L) })
        foreach (var (height, width) in new[] { (12, 10), (9, 13) })
            yield return new(16, 32, height, width, (5, 5), (1, 1), (down, across), (1, 1));
        yield return new(48, 16, 11, 8, (5, 5), (1, 1), (2, 2), (1, 1));
        // Vectors that channels or filters do not fill.
        yield return new(16, 8, 12, 10, (5, 5), (1, 1), (2, 2), (1, 1));
        yield return new(12, 24, 9, 13, (5, 5), (1, 1), (2, 2), (1, 1));
        yield return new(40, 12, 11, 8, (3, 3), (1, 1), (1, 1), (1, 1));
        yield return new(24, 40, 11, 8, (3, 3), (2, 1), (1, 1), (1, 1));
        yield return new(40, 24, 9, 7, (1, 1), (1, 1), (0, 0), (1, 1));
        // Tiles that hang over the map by more than they save.
        yield return new(16, 16, 2, 5, (3, 3), (1, 1), (1, 1), (1, 1)) { Images = 40 };
        yield return new(32, 16, 3, 3, (3, 3), (1, 1), (0, 0), (1, 1)) { Images = 70 };
        yield return new(16, 32, 40, 100, (3, 3), (1, 1), (1, 1), (1, 1)) { Images = 1 };
        yield return new(32, 32, 4, 5, (3, 3), (1, 1), (1, 1), (1, 1)) { Images = 1 };
        yield return new(16, 32, 12, 10, (3, 3), (2, 2), (1, 1), (1, 1));
        // More products than a direct method is for.
        yield return new(24, 40, 33, 34, (3, 3), (1, 1), (1, 1), (1, 1)) { Images = 12 };
        // The last rows and columns are seen by no window.
        yield return new(3, 20, 11, 12, (2, 2), (3, 3), (0, 0), (1, 1));
        // Images of one channel: two windows share a vector, or one has it; bands of rows, and more filters than a vector.
        yield return new(1, 8, 14, 13, (5, 5), (1, 1), (2, 2), (1, 1)) { Images = 1 };
        yield return new(1, 6, 28, 25, (3, 3), (1, 1), (1, 1), (1, 1)) { Images = 40 };
        yield return new(1, 5, 9, 12, (4, 2), (2, 1), (0, 3), (2, 1));
        yield return new(1, 7, 12, 11, (3, 3), (1, 2), (1, 1), (1, 2));
        yield return new(1, 20, 41, 75, (7, 5), (2, 3), (3, 4), (1, 2)) { Images = 2 };
        yield return new(1, 40, 6, 31, (1, 3), (1, 1), (0, 1), (1, 1));
        yield return new(32, 16, 11, 9, (3, 3), (2, 1), (1, 1), (1, 1));
        yield return new(16, 16, 13, 9, (5, 3), (1, 3), (2, 0), (1, 1));
        yield return new(16, 16, 14, 11, (3, 3), (1, 1), (2, 2), (2, 2));
        yield return new(16, 48, 14, 33, (7, 7), (2, 2), (3, 3), (1, 1));
        yield return new(16, 16, 15, 17, (2, 4), (1, 2), (0, 1), (3, 2));
        yield return new(32, 48, 9, 7, (1, 1), (1, 1), (0, 0), (1, 1));
        yield return new(3, 16, 12, 10, (3, 3), (1, 1), (1, 1), (1, 1));
        yield return new(24, 20, 12, 10, (3, 3), (1, 1), (1, 1), (1, 1));
        yield return new(32, 32, 12, 10, (3, 3), (1, 1), (1, 1), (1, 1)) { Groups = 2 };
    }
}
