using NUnit.Framework;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch.Tests.Kernels;

/// <summary>How the input lies in memory.</summary>
public enum Memory
{
    ChannelsLast,
    Contiguous,

    /// <summary>A range of the channels of a wider channels-last map.</summary>
    Slice,
    Flat,
}

/// <summary>Inputs of kernels, and what comes out compared.</summary>
internal static class Maps
{
    public static Tensor Lay(Tensor values, Memory memory)
    {
        if (memory is Memory.Contiguous or Memory.Flat)
            return values.contiguous();
        if (memory == Memory.ChannelsLast)
            return values.ChannelsLast();
        var shape = values.shape;
        var wide = zeros(shape[0], shape[1] + 5, shape[2], shape[3]).to(values.dtype).ChannelsLast();
        var part = wide.narrow(1, 2, shape[1]);
        part.copy_(values);
        return part;
    }

    /// <summary>Relative to the largest value.</summary>
    public static void AssertClose(Tensor actual, Tensor expected, double tolerance, string what)
    {
        Assert.That(actual.shape, Is.EqualTo(expected.shape), what);
        var (left, right) = (actual.@double(), expected.@double());
        double largest = Math.Max(1, right.abs().max().item<double>());
        Assert.That((left - right).abs().max().item<double>(), Is.LessThanOrEqualTo(tolerance * largest), what);
    }
}
