using NUnit.Framework;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Kernels;

/// <summary>Whichever method computes a convolution, it must be the convolution, or networks train to something else.</summary>
[TestFixture]
public sealed class ConvolveTests
{
    [Test]
    public void Forward_and_gradients_are_the_convolutions(
        [ValueSource(typeof(ConvolutionCase), nameof(ConvolutionCase.All))] ConvolutionCase c,
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

        double bound = BoundOf(type);
        foreach (var (name, value) in actual)
        {
            Assert.That(value.shape, Is.EqualTo(expected[name].shape), name);
            Assert.That(Distance(value, expected[name]), Is.LessThan(bound), name);
        }
        Assert.That(actual["weight"].dtype, Is.EqualTo(ScalarType.Float32), "a gradient is of its weight's type");

        Tensor Ours(Tensor x, Tensor weight, Tensor? bias) =>
            FusedKernels.Convolve(x, weight, bias, c.Strides, c.Paddings, c.Dilations, c.Groups);

        Tensor Theirs(Tensor x, Tensor weight, Tensor? bias) =>
            F.conv2d(x, weight, bias, c.Strides, c.Paddings, c.Dilations, c.Groups);
    }

    /// <summary>An input that is read after its convolution: its gradient is the sum of both.</summary>
    [Test]
    public void The_gradient_of_later_readers_is_added(
        [ValueSource(typeof(ConvolutionCase), nameof(ConvolutionCase.All))] ConvolutionCase c,
        [Values(ScalarType.Float32, ScalarType.BFloat16)] ScalarType type
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        var x = randn(c.Images, c.Channels, c.Height, c.Width).bfloat16();
        var weight = randn(c.Filters, c.Channels / c.Groups, c.Kernel.H, c.Kernel.W).bfloat16();
        var further = randn(x.shape).bfloat16();
        var wide = x.to(ScalarType.Float64).requires_grad_();
        var convolved = F.conv2d(
            wide,
            weight.to(ScalarType.Float64),
            null,
            c.Strides,
            c.Paddings,
            c.Dilations,
            c.Groups
        );
        var direction = randn(convolved.shape).bfloat16();
        convolved.backward([direction.to(ScalarType.Float64)]);
        var expected = wide.grad!.add(further.to(ScalarType.Float64));

        var mine = x.to(type).ChannelsLast().requires_grad_();
        var (y, later) = FusedKernels.ConvolveFork(
            mine,
            weight.@float().requires_grad_(),
            null,
            c.Strides,
            c.Paddings,
            c.Dilations,
            c.Groups
        );
        Assert.That(Distance(later, x), Is.Zero, "the input");
        (y.mul(direction.to(type)).sum() + later.mul(further.to(type)).sum()).backward();
        Assert.That(Distance(mine.grad!, expected), Is.LessThan(BoundOf(type)));
    }

    [Test]
    public void A_prepared_one_with_its_sum_and_ReLU_is_the_convolution(
        [ValueSource(typeof(ConvolutionCase), nameof(ConvolutionCase.OfOneGroup))] ConvolutionCase c,
        [Values(ScalarType.Float32, ScalarType.BFloat16)] ScalarType type,
        [Values] bool bias,
        [Values] bool sum,
        [Values] bool relu
    )
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        Seeded.Random();
        var x = randn(c.Images, c.Channels, c.Height, c.Width).to(type);
        var weight = randn(c.Filters, c.Channels, c.Kernel.H, c.Kernel.W).to(type);
        var offset = bias ? randn(c.Filters) : null;
        var expected = F.conv2d(
            Wide(x),
            Wide(weight),
            offset is null ? null : Wide(offset),
            c.Strides,
            c.Paddings,
            c.Dilations
        );
        var addend = sum ? randn(expected.shape).to(type) : null;
        if (addend is not null)
            expected = expected.add(Wide(addend));
        if (relu)
            expected = expected.relu();

        using var prepared = new PreparedConvolution(weight.@float(), offset, type, c.Strides, c.Paddings, c.Dilations);
        var actual = prepared.Call(x, addend, relu);
        Assert.That(actual.shape, Is.EqualTo(expected.shape));
        Assert.That(actual.dtype, Is.EqualTo(type));
        Assert.That(Distance(actual, expected), Is.LessThan(BoundOf(type)));

        static Tensor Wide(Tensor value) => value.to(ScalarType.Float64);
    }

    /// <summary>Of the result's norm. bfloat16 has 8 bits, and a tile's points are weighted sums of up to 25 values, rounded anew: they
    /// cost two bits more than a sum of products does.</summary>
    private static double BoundOf(ScalarType type) => type == ScalarType.Float32 ? 2e-6 : 0.02;

    [Test]
    public void A_value_that_is_no_number_stays_where_windows_see_it([Values(1, 3, 16)] long channels)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        Seeded.Random();
        // One row below the map's last, which no window of the first outputs sees.
        var x = randn(1, channels, 6, 5).bfloat16();
        x[0, 0, 5, 4].fill_(float.NaN);
        using var prepared = new PreparedConvolution(
            randn(20, channels, 3, 3),
            null,
            ScalarType.BFloat16,
            [1, 1],
            [1, 1],
            [1, 1]
        );
        var seen = prepared.Call(x).@float().isnan().sum(1)[0];
        for (int row = 0; row < 6; row++)
        for (int column = 0; column < 5; column++)
            Assert.That(
                seen[row, column].item<long>(),
                row >= 4 && column >= 3 ? Is.EqualTo(20) : Is.Zero,
                $"{row}, {column}"
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
