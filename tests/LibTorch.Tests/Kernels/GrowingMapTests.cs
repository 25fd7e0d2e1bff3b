using NUnit.Framework;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Kernels;

/// <summary>Maps that grow by concatenation in one memory, as DenseNet's: a channel written over or a gradient lost there trains
/// another network.</summary>
[TestFixture]
public sealed class GrowingMapTests
{
    private const int Start = 18;
    private const int Growth = 7;
    private const int Layers = 3;

    [Test]
    public void A_chain_has_the_values_and_gradients_of_separate_maps(
        [Values] bool newFirst,
        [Values] bool flat,
        [Values(ScalarType.Float32, ScalarType.BFloat16)] ScalarType type
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        long[] shape = flat ? [37, Start] : [3, Start, 5, 7];
        var x = randn(shape).to(type);
        var (mine, other) = ((flat ? x : x.ChannelsLast()).clone().requires_grad_(), x.clone().requires_grad_());
        var ours = Chain(mine, newFirst, shared: true);
        var theirs = Chain(other, newFirst, shared: false);
        var direction = randn(ours.shape).to(type);
        ours.backward([direction]);
        theirs.backward([direction]);
        double bound = type == ScalarType.Float32 ? 1e-4 : 0.06;
        AssertNear(ours, theirs, bound, "value");
        AssertNear(mine.grad!, other.grad!, bound, "gradient");
    }

    /// <summary>Parts of one map, each normalised by itself: the gradient of the whole is put together in one memory.</summary>
    [Test]
    public void Normalised_parts_have_the_values_and_gradients_of_slices(
        [Values] bool flat,
        [Values] bool relu,
        [Values(ScalarType.Float32, ScalarType.BFloat16)] ScalarType type
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        long[] sizes = [4, 16, 1, 33];
        long[] shape = flat ? [37, sizes.Sum()] : [3, sizes.Sum(), 5, 7];
        var x = randn(shape).to(type);
        var (mine, other) = ((flat ? x : x.ChannelsLast()).clone().requires_grad_(), x.clone().requires_grad_());
        var (ours, theirs, clear) = (new List<Tensor>(), new List<Tensor>(), new List<Tensor>());
        var map = mine;
        long first = 0;
        for (int i = 0; i < sizes.Length; first += sizes[i], i++)
        {
            var (scale, shift) = (randn(sizes[i]), randn(sizes[i]));
            var (mean, variance) = (zeros(sizes[i]), ones(sizes[i]));
            bool last = i == sizes.Length - 1;
            var (y, handedOn) = FusedKernels.NormalisePart(
                map,
                first,
                sizes[i],
                forks: !last,
                scale,
                shift,
                mean.clone(),
                variance.clone(),
                training: true,
                0.1,
                1e-5,
                relu
            );
            ours.Add(y);
            map = handedOn;
            var normal = F.batch_norm(other.narrow(1, first, sizes[i]), mean, variance, scale, shift, training: true);
            theirs.Add(relu ? normal.relu() : normal);
            // Nothing is asked where rounding alone says whether ReLU lets a value through.
            clear.Add(normal.abs().gt(type == ScalarType.Float32 ? 1e-3 : 0.05));
        }
        var direction = randn(shape).to(type) * cat([.. clear], 1).to(type);
        foreach (var values in new[] { ours, theirs })
            cat([.. values], 1).backward([direction]);
        double bound = type == ScalarType.Float32 ? 1e-4 : 0.03;
        AssertNear(cat([.. ours], 1), cat([.. theirs], 1), bound, "value");
        AssertNear(mine.grad!, other.grad!, bound, "gradient");
    }

    /// <summary>A caller that names a piece without room around it gets a copy, not the memory beside that piece.</summary>
    [Test]
    public void Without_room_the_pieces_are_copied([Values] bool transposed)
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        var first = randn(2, 4, 3, 5);
        var second = transposed ? randn(2, 6, 5, 3).transpose(2, 3) : randn(2, 6, 3, 5).ChannelsLast();
        var before = second.clone();
        var joined = FusedKernels.Concat([first, second], within: 1, before: 0, after: 0);
        Assert.That(joined.allclose(cat([first, second], 1), rtol: 0, atol: 0));
        joined.zero_();
        Assert.That(second.allclose(before, rtol: 0, atol: 0), "the piece was written to");
    }

    [Test]
    public void Every_value_is_kept_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var odd = tensor(new[] { -0.0f, float.NaN, float.NegativeInfinity, 1e-40f }).reshape(1, 4, 1, 1);
        var joined = FusedKernels.Concat([odd, odd], within: null, before: 3, after: 1);
        Assert.That(
            joined.data<float>().Select(BitConverter.SingleToInt32Bits),
            Is.EqualTo(cat([odd, odd], 1).data<float>().Select(BitConverter.SingleToInt32Bits))
        );
    }

    [Test]
    public void Pieces_that_do_not_fit_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.That(
            () => FusedKernels.Concat([zeros(2, 4, 3, 5), zeros(2, 4, 5, 3)], within: null, before: 0, after: 0),
            Throws.TypeOf<LibTorchException>()
        );
    }

    /// <summary>Layers that normalise the map so far and add channels to it.</summary>
    private static Tensor Chain(Tensor x, bool newFirst, bool shared)
    {
        var map = x;
        for (int layer = 0; layer < Layers; layer++)
        {
            long channels = map.shape[1];
            var (scale, shift) = (ones(channels).mul(1.5), ones(channels).mul(0.25));
            var (mean, variance) = (zeros(channels), ones(channels));
            Tensor normal;
            if (shared)
                (normal, map) = FusedKernels.NormalisePart(
                    map,
                    0,
                    channels,
                    forks: true,
                    scale,
                    shift,
                    mean,
                    variance,
                    training: true,
                    0.1,
                    1e-5,
                    relu: false
                );
            else
                normal = F.batch_norm(map, mean, variance, scale, shift, training: true);
            var added = normal.narrow(1, channels - Growth, Growth).mul(0.5);
            Tensor[] pieces = newFirst ? [added, map] : [map, added];
            int? within = layer == 0 ? null : Array.IndexOf(pieces, map);
            long room = (Layers - 1) * Growth;
            map = shared
                ? FusedKernels.Concat(pieces, within, newFirst ? room : 0, newFirst ? 0 : room)
                : cat(pieces, 1);
        }
        return map;
    }

    private static void AssertNear(Tensor actual, Tensor expected, double bound, string what)
    {
        Assert.That(actual.shape, Is.EqualTo(expected.shape), what);
        var (left, right) = (actual.@double(), expected.@double());
        Assert.That((left - right).norm().item<double>(), Is.LessThan(bound * right.norm().item<double>()), what);
    }
}
