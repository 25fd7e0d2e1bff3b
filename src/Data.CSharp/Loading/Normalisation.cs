using System.Numerics;

namespace CnnSpec.Data;

/// <summary>
/// From uint8 to what the network sees: <c>(p / 255 − mean) / deviation</c> for each channel, in float32 and in that
/// order, so the
/// values are those of torchvision's <c>ToTensor</c> and <c>Normalize</c> to the last bit.
/// </summary>
public sealed class Normalisation
{
    private readonly float[] _mean;
    private readonly float[] _deviation;

    /// <param name="statistics">One mean and one deviation for each channel; <see cref="ChannelStatistics.Identity"/>
    /// keeps plain <c>[0, 1]</c>.</param>
    public Normalisation(ChannelStatistics statistics)
    {
        _mean = statistics.Mean;
        // A constant channel has deviation 0; dividing by 1 leaves it at 0 instead of making NaN.
        _deviation = statistics.Deviation.Select(d => d == 0 ? 1f : d).ToArray();
    }

    /// <summary>How many channels it is for.</summary>
    public int Channels => _mean.Length;

    /// <summary>Normalises one image, <c>[C, H, W]</c> to <c>[C, H, W]</c>.</summary>
    public void Apply(ReadOnlySpan<byte> pixels, Span<float> target, ImageShape shape)
    {
        for (int c = 0; c < shape.Channels; c++)
        {
            int start = c * shape.PlaneSize;
            Plane(pixels.Slice(start, shape.PlaneSize), target.Slice(start, shape.PlaneSize), _mean[c], _deviation[c]);
        }
    }

    private static void Plane(ReadOnlySpan<byte> pixels, Span<float> target, float mean, float deviation)
    {
        int i = 0;
        int lanes = Vector<float>.Count;
        for (; i + Vector<byte>.Count <= pixels.Length; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(pixels[i..]), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(low, out Vector<uint> a, out Vector<uint> b);
            Vector.Widen(high, out Vector<uint> c, out Vector<uint> d);
            Store(a, target[i..], mean, deviation);
            Store(b, target[(i + lanes)..], mean, deviation);
            Store(c, target[(i + 2 * lanes)..], mean, deviation);
            Store(d, target[(i + 3 * lanes)..], mean, deviation);
        }
        for (; i < pixels.Length; i++)
            target[i] = (pixels[i] / 255f - mean) / deviation;
    }

    private static void Store(Vector<uint> pixels, Span<float> target, float mean, float deviation)
    {
        // Signed on purpose: x86 converts int32 to float in one instruction, uint32 in many.
        var unit = Vector.ConvertToSingle(Vector.AsVectorInt32(pixels)) / new Vector<float>(255f);
        ((unit - new Vector<float>(mean)) / new Vector<float>(deviation)).CopyTo(target);
    }
}
