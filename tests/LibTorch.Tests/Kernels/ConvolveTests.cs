using NUnit.Framework;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Kernels;

/// <summary>Whichever method computes a convolution, it must be the convolution, or networks train to something else.</summary>
[TestFixture]
public sealed class ConvolveTests
{
    /// <summary>One convolution: channels, filters, map, window.</summary>
    public sealed record Case(
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
    }

    /// <summary>Maps of even and odd sides, tiles that hang over every edge, padding of each side from none to two, channels in
    /// one and in several runs, and windows that only the general method or only libtorch takes.</summary>
    private static IEnumerable<Case> Cases()
    {
        foreach (var (channels, filters) in new[] { (16, 16), (16, 32), (32, 16), (48, 64), (64, 48), (96, 32) })
        foreach (var (height, width) in new[] { (12, 10), (9, 13), (8, 7), (11, 8) })
            yield return new(channels, filters, height, width, (3, 3), (1, 1), (1, 1), (1, 1));
        foreach (var (down, across) in new[] { (0L, 0L), (2L, 2L), (0L, 2L), (2L, 1L), (1L, 0L) })
            yield return new(32, 32, 10, 15, (3, 3), (1, 1), (down, across), (1, 1));
        yield return new(32, 16, 3, 3, (3, 3), (1, 1), (0, 0), (1, 1)) { Images = 70 };
        yield return new(16, 32, 40, 100, (3, 3), (1, 1), (1, 1), (1, 1)) { Images = 1 };
        yield return new(32, 32, 4, 5, (3, 3), (1, 1), (1, 1), (1, 1)) { Images = 1 };
        yield return new(16, 32, 12, 10, (3, 3), (2, 2), (1, 1), (1, 1));
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

    [Test]
    public void Forward_and_gradients_are_the_convolutions(
        [ValueSource(nameof(Cases))] Case c,
        [Values(ScalarType.Float32, ScalarType.BFloat16)] ScalarType type,
        [Values] bool bias
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        // Values that bfloat16 holds exactly, so that only the arithmetic differs.
        var x = randn(c.Images, c.Channels, c.Height, c.Width).bfloat16().@float();
        var weight = randn(c.Filters, c.Channels / c.Groups, c.Kernel.H, c.Kernel.W).bfloat16().@float();
        var offset = bias ? randn(c.Filters).bfloat16().@float() : null;

        var expected = Differentiate(
            x.to(ScalarType.Float64),
            weight.to(ScalarType.Float64),
            offset?.to(ScalarType.Float64),
            Theirs
        );
        var actual = Differentiate(x.to(type).ChannelsLast(), weight, offset, Ours);

        // bfloat16 has 8 bits; the points of a tile are sums of up to four values, rounded anew.
        double bound = type == ScalarType.Float32 ? 2e-6 : 0.01;
        foreach (var (name, value) in actual)
        {
            Assert.That(value.shape, Is.EqualTo(expected[name].shape), name);
            Assert.That(Distance(value, expected[name]), Is.LessThan(bound), name);
        }
        Assert.That(actual["weight"].dtype, Is.EqualTo(ScalarType.Float32), "a gradient is of its weight's type");

        Tensor Ours(Tensor x, Tensor weight, Tensor? bias) =>
            FusedKernels.Convolve(
                x,
                weight,
                bias,
                [c.Stride.H, c.Stride.W],
                [c.Padding.H, c.Padding.W],
                [c.Dilation.H, c.Dilation.W],
                c.Groups
            );

        Tensor Theirs(Tensor x, Tensor weight, Tensor? bias) =>
            F.conv2d(
                x,
                weight,
                bias,
                [c.Stride.H, c.Stride.W],
                [c.Padding.H, c.Padding.W],
                [c.Dilation.H, c.Dilation.W],
                c.Groups
            );
    }

    [Test]
    public void Results_do_not_depend_on_the_number_of_threads(
        [Values(ScalarType.Float32, ScalarType.BFloat16)] ScalarType type,
        [Values(1, 2)] int stride
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        var x = randn(6, 32, 11, 14).to(type).ChannelsLast();
        var weight = randn(48, 32, 3, 3);
        int threads = Engine.Threads;
        try
        {
            Engine.Threads = 1;
            var alone = Differentiate(x, weight, null, Ours);
            Engine.Threads = 2;
            foreach (var (name, value) in Differentiate(x, weight, null, Ours))
                Assert.That(Distance(value, alone[name]), Is.Zero, name);
        }
        finally
        {
            Engine.Threads = threads;
        }

        Tensor Ours(Tensor x, Tensor weight, Tensor? bias) =>
            FusedKernels.Convolve(x, weight, bias, [stride, stride], [1, 1], [1, 1], 1);
    }

    /// <summary>‖a − b‖ / ‖b‖.</summary>
    private static double Distance(Tensor a, Tensor b)
    {
        var expected = b.to(ScalarType.Float64);
        return (a.to(ScalarType.Float64).sub(expected).norm() / expected.norm()).item<double>();
    }

    /// <summary>The output, and the gradients of all that is given in a random direction that is the same every time.</summary>
    private static Dictionary<string, Tensor> Differentiate(
        Tensor x,
        Tensor weight,
        Tensor? bias,
        Func<Tensor, Tensor, Tensor?, Tensor> convolve
    )
    {
        var given = new Dictionary<string, Tensor> { ["x"] = Leaf(x), ["weight"] = Leaf(weight) };
        if (bias is not null)
            given["bias"] = Leaf(bias);
        var y = convolve(given["x"], given["weight"], bias is null ? null : given["bias"]);
        var direction = arange(y.numel(), dtype: ScalarType.Float64)
            .mul(0.7)
            .sin()
            .view(y.shape)
            .bfloat16()
            .to(y.dtype);
        y.mul(direction).sum().backward();
        var found = given.ToDictionary(pair => pair.Key, pair => pair.Value.grad!);
        found["y"] = y.detach();
        return found;
    }

    private static Tensor Leaf(Tensor value) => value.detach().clone().requires_grad_();
}
