using NUnit.Framework;
using static CnnSpec.LibTorch.Tests.Kernels.Maps;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Kernels;

/// <summary>Our normalisation must do what libtorch's operators do one after the other, or every network trains differently.</summary>
[TestFixture]
public sealed class NormaliseTests
{
    /// <summary>Channel counts below, at and across the width of a vector; a batch of one row more than a joined row holds.</summary>
    private static IEnumerable<TestCaseData> NormaliseCases() =>
        from memory in Enum.GetValues<Memory>()
        from channels in new[] { 1, 3, 16, 24, 70, 129 }
        from sum in new[] { false, true }
        from relu in new[] { false, true }
        select new TestCaseData(memory, channels, sum, relu);

    /// <summary>On a device that is not the processor the kernels leave the work to libtorch. The meta device has no memory, and its
    /// libtorch neither of these operators: it says so, where a kernel of ours would end the process.</summary>
    [Test]
    public void Another_device_is_left_to_libtorch()
    {
        using var scope = NewDisposeScope();
        var x = zeros([2, 16, 6, 5], device: META);
        var weight = zeros([16, 16, 3, 3], device: META);
        var channel = zeros([16], device: META);
        using var prepared = new PreparedConvolution(weight, channel, ScalarType.Float32, [1, 1], [1, 1], [1, 1]);
        var calls = new (string Theirs, Action Call)[]
        {
            (
                "batch_norm",
                () => FusedKernels.Normalise(x, x, channel, channel, channel, channel, true, 0.1, 1e-5, true)
            ),
            ("convolution", () => FusedKernels.Convolve(x, weight, channel, [1, 1], [1, 1], [1, 1], 1)),
            ("convolution", () => prepared.Call(x, x, relu: true)),
        };
        foreach (var (theirs, call) in calls)
            Assert.That(call, Throws.TypeOf<LibTorchException>().With.Message.Contains(theirs));
        Assert.That(
            FusedKernels.MaxPool(x, [2, 2], [2, 2], [0, 0], false).shape,
            Is.EqualTo(new long[] { 2, 16, 3, 2 })
        );
    }

    [TestCaseSource(nameof(NormaliseCases))]
    public void Normalise_equals_its_parts_forward_and_backward(Memory memory, int channels, bool sum, bool relu)
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        long[] shape = memory == Memory.Flat ? [37, channels] : [3, channels, 5, 7];
        var x = Lay(randn(shape).mul(2).add(30), memory);
        var addend = sum ? Lay(randn(shape), memory) : null;
        AssertTrainsAlike(x, addend, channels, relu);
    }

    /// <summary>Maps of more than 16 MB are written past the cache, where they are made of whole vectors.</summary>
    [Test]
    public void Large_maps_are_normalised_as_small_ones_are(
        [Values(96, 144, 70)] int channels,
        [Values(Memory.ChannelsLast, Memory.Slice)] Memory memory
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        var values = randn(5, channels, 102, 111);
        var large = Lay(values, memory);
        var small = Lay(values.slice(0, 0, 1, 1), memory);
        Assert.That(
            Ours(large, null, Weights.Of(channels), training: false, relu: true).slice(0, 0, 1, 1).data<float>(),
            Is.EqualTo(Ours(small, null, Weights.Of(channels), training: false, relu: true).data<float>())
        );
        AssertTrainsAlike(large, null, channels, relu: true);
    }

    [Test]
    public void A_sum_and_ReLU_in_place_equal_their_parts(
        [Values] Memory memory,
        [Values(1, 24, 70)] int channels,
        [Values] bool sum,
        [Values] bool relu,
        [Values(ScalarType.Float32, ScalarType.BFloat16)] ScalarType type
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        long[] shape = memory == Memory.Flat ? [37, channels] : [3, channels, 5, 7];
        var y = Lay(randn(shape).to(type), memory);
        var addend = sum ? Lay(randn(shape).to(type), memory) : null;
        var expected = addend is null ? y.clone() : y.add(addend);
        if (relu)
            expected = expected.relu();
        FusedKernels.AddRelu(y, addend, relu);
        Assert.That(y.allclose(expected, rtol: 0, atol: 0), Is.True);
    }

    [Test]
    public void Versions_tell_of_every_change()
    {
        using var scope = NewDisposeScope();
        var weights = Weights.Of(4);
        Tensor[] all = [weights.Mean, weights.Variance];
        long before = FusedKernels.Versions(all);
        Assert.That(FusedKernels.Versions(all), Is.EqualTo(before));
        weights.Mean.add_(1);
        long changed = FusedKernels.Versions(all);
        Assert.That(changed, Is.GreaterThan(before));
        Ours(randn(2, 4, 3, 5).ChannelsLast(), null, weights, training: true, relu: false);
        Assert.That(FusedKernels.Versions(all), Is.GreaterThan(changed), "statistics that our kernel wrote");
    }

    [TestCase(Memory.ChannelsLast, 33, false)]
    [TestCase(Memory.Contiguous, 16, true)]
    public void Normalise_in_evaluation_uses_the_running_statistics(Memory memory, int channels, bool sum)
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        var weights = Weights.Of(channels);
        var x = Lay(randn(3, channels, 5, 7), memory);
        var addend = sum ? Lay(randn(3, channels, 5, 7), memory) : null;
        var expected = Theirs(x, addend, weights, training: false, relu: true);
        using (no_grad())
            AssertClose(Ours(x, addend, weights, training: false, relu: true), expected, 1e-5, "without a gradient");
        AssertClose(Ours(x, addend, weights, training: false, relu: true), expected, 1e-5, "with one");
    }

    [TestCase(16, true)]
    [TestCase(21, false)]
    public void Normalise_of_bfloat16_stays_near_float32(int channels, bool sum)
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        long[] shape = [4, channels, 9, 6];
        // Values that bfloat16 holds exactly, so that only the kernel's own rounding differs.
        var x = Lay(randn(shape).bfloat16().@float(), Memory.ChannelsLast);
        var addend = sum ? Lay(randn(shape).bfloat16().@float(), Memory.ChannelsLast) : null;
        var direction = randn(shape).bfloat16().@float();
        var (ours, theirs) = (Weights.Of(channels), Weights.Of(channels));
        var actual = Differentiate(
            x,
            addend,
            direction,
            ours,
            (a, b) => Ours(a.bfloat16(), b?.bfloat16(), ours, training: true, relu: false).@float()
        );
        var expected = Differentiate(
            x,
            addend,
            direction,
            theirs,
            (a, b) => Theirs(a, b, theirs, training: true, relu: false)
        );
        foreach (var (name, value) in actual)
            AssertClose(value, expected[name], 0.02, name);
    }

    [Test]
    public void Normalise_of_float64_is_left_to_libtorch()
    {
        using var scope = NewDisposeScope();
        var weights = Weights.Of(4, ScalarType.Float64);
        var x = randn([2, 4, 3, 5], dtype: ScalarType.Float64);
        AssertClose(
            Ours(x, null, weights, training: true, relu: true),
            Theirs(x, null, weights, training: true, relu: true),
            1e-12,
            "value"
        );
    }

    /// <summary>Else what comes before, on a GPU, turns each gradient round.</summary>
    [Test]
    public void The_gradient_of_what_is_left_to_libtorch_lies_as_the_map_does()
    {
        using var scope = NewDisposeScope();
        var weights = Weights.Of(4, ScalarType.Float64);
        var x = randn([2, 4, 3, 5], dtype: ScalarType.Float64).ChannelsLast().requires_grad_();
        var y = Ours(x, null, weights, training: true, relu: true);
        y.backward([ones_like(y)]);
        Assert.That(x.grad!.stride(), Is.EqualTo(x.stride()));
    }

    [Test]
    public void Results_do_not_depend_on_the_number_of_threads()
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        int threads = Engine.Threads;
        try
        {
            var x = Lay(randn(8, 24, 33, 31), Memory.ChannelsLast);
            var direction = randn(8, 24, 33, 31);
            var results = new List<Dictionary<string, Tensor>>();
            foreach (int count in new[] { 1, 2, 3 })
            {
                Engine.Threads = count;
                manual_seed(4);
                var weights = Weights.Of(24);
                results.Add(
                    Differentiate(
                        x,
                        null,
                        direction,
                        weights,
                        (a, _) => Ours(a, null, weights, training: true, relu: true)
                    )
                );
            }
            foreach (var (name, value) in results[0])
                Assert.That(results.All(other => other[name].eq(value).all().item<bool>()), name);
        }
        finally
        {
            Engine.Threads = threads;
        }
    }

    private sealed record Weights(Tensor Scale, Tensor Shift, Tensor Mean, Tensor Variance)
    {
        /// <summary>The same for the same seed of the calls before it.</summary>
        public static Weights Of(int channels, ScalarType type = ScalarType.Float32)
        {
            var each = arange(channels).to(type);
            return new(
                each.mul(0.1).sin().add(1.2).requires_grad_(),
                each.cos().requires_grad_(),
                each.mul(0.01),
                each.mul(0.02).add(1)
            );
        }
    }

    private static Tensor Ours(Tensor x, Tensor? addend, Weights w, bool training, bool relu) =>
        FusedKernels.Normalise(x, addend, w.Scale, w.Shift, w.Mean, w.Variance, training, 0.1, 1e-5, relu);

    private static Tensor Theirs(Tensor x, Tensor? addend, Weights w, bool training, bool relu)
    {
        var y = F.batch_norm(x, w.Mean, w.Variance, w.Scale, w.Shift, training, 0.1, 1e-5);
        y = addend is null ? y : y.add(addend);
        return relu ? y.relu() : y;
    }

    /// <summary>Values, statistics and gradients of our normalisation are those of libtorch's operators.</summary>
    private static void AssertTrainsAlike(Tensor x, Tensor? addend, int channels, bool relu)
    {
        var (ours, theirs) = (Weights.Of(channels), Weights.Of(channels));
        // Where rounding alone says whether ReLU lets a value through, either gradient is right: nothing is asked there.
        var values = Theirs(x, addend, Weights.Of(channels), training: true, relu: false);
        var direction = randn(x.shape) * values.abs().gt(1e-3).@float();
        var actual = Differentiate(x, addend, direction, ours, (a, b) => Ours(a, b, ours, training: true, relu));
        var expected = Differentiate(
            x,
            addend,
            direction,
            theirs,
            (a, b) => Theirs(a, b, theirs, training: true, relu)
        );

        // Both lose digits to a mean of 30, the gradient of the scale most.
        foreach (var (name, value) in actual)
            AssertClose(value, expected[name], 5e-5, name);
    }

    private static Dictionary<string, Tensor> Differentiate(
        Tensor x,
        Tensor? addend,
        Tensor direction,
        Weights weights,
        Func<Tensor, Tensor?, Tensor> function
    )
    {
        var leaf = x.detach().requires_grad_();
        var added = addend?.detach().requires_grad_();
        var y = function(leaf, added);
        y.backward([direction]);
        var results = new Dictionary<string, Tensor>
        {
            ["value"] = y,
            ["gradient of the input"] = leaf.grad!,
            ["gradient of the scale"] = weights.Scale.grad!,
            ["gradient of the shift"] = weights.Shift.grad!,
            ["running mean"] = weights.Mean,
            ["running variance"] = weights.Variance,
        };
        if (added is not null)
            results["gradient of the addend"] = added.grad!;
        return results;
    }
}
