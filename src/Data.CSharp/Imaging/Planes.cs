using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CnnSpec.Data;

/// <summary>From pixels of four bytes to a plane for each channel, which is how networks take images.</summary>
internal static class Planes
{
    private static readonly Vector128<byte> ByChannel = Vector128.Create(
        (byte)0,
        4,
        8,
        12,
        1,
        5,
        9,
        13,
        2,
        6,
        10,
        14,
        3,
        7,
        11,
        15
    );

    /// <param name="rgba"><c>[H, W, 4]</c>.</param>
    /// <param name="planes"><c>[C, H, W]</c>, of the first one or three channels.</param>
    /// <param name="size">H · W.</param>
    public static void Split(ReadOnlySpan<byte> rgba, Span<byte> planes, int size)
    {
        int channels = planes.Length / size;
        int done = channels == 3 ? SplitBySixteen(rgba, planes, size) : 0;
        for (int c = 0; c < channels; c++)
        {
            var plane = planes.Slice(c * size, size);
            for (int i = done; i < plane.Length; i++)
                plane[i] = rgba[4 * i + c];
        }
    }

    /// <summary>As many pixels as there are whole sixteens of: each vector's bytes by channel, then the four vectors'.</summary>
    private static int SplitBySixteen(ReadOnlySpan<byte> rgba, Span<byte> planes, int size)
    {
        const int step = 16;
        ref byte source = ref MemoryMarshal.GetReference(rgba);
        ref byte red = ref MemoryMarshal.GetReference(planes);
        int whole = size - size % step;
        for (int i = 0; i < whole; i += step)
        {
            nuint at = 4 * (nuint)i;
            var a = Vector128.Shuffle(Vector128.LoadUnsafe(ref source, at), ByChannel).AsUInt32();
            var b = Vector128.Shuffle(Vector128.LoadUnsafe(ref source, at + step), ByChannel).AsUInt32();
            var c = Vector128.Shuffle(Vector128.LoadUnsafe(ref source, at + 2 * step), ByChannel).AsUInt32();
            var d = Vector128.Shuffle(Vector128.LoadUnsafe(ref source, at + 3 * step), ByChannel).AsUInt32();
            for (int channel = 0; channel < 3; channel++)
                Vector128
                    .Create(a[channel], b[channel], c[channel], d[channel])
                    .AsByte()
                    .StoreUnsafe(ref red, (nuint)(channel * size + i));
        }
        return whole;
    }
}
