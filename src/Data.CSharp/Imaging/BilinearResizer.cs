using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CnnSpec.Data;

/// <summary>
/// Antialiased bilinear resizing of uint8 planes with exactly the arithmetic of Pillow's <c>Image.resize(BILINEAR)</c>,
/// and so of
/// torchvision's <c>Resize</c> on PIL images: a triangle filter as wide as the shrinking factor, 22-bit fixed-point
/// weights,
/// and rounding to uint8 after the horizontal pass and again after the vertical one.
/// </summary>
/// <remarks>Keeps buffers, so it serves one thread at a time.</remarks>
public sealed class BilinearResizer
{
    private readonly ResizeAxis _horizontal = new();
    private readonly ResizeAxis _vertical = new();
    private byte[] _middle = [];
    private int[] _accumulator = [];

    /// <summary>Resizes a rectangle of every channel. Pixels outside the rectangle are not looked at.</summary>
    /// <param name="source">The whole image, <c>[C, H, W]</c>.</param>
    /// <param name="region">The rectangle, inside the image.</param>
    /// <param name="target">The result, <c>[C, height, width]</c>.</param>
    public void Resize(
        ReadOnlySpan<byte> source,
        ImageShape shape,
        Rectangle region,
        Span<byte> target,
        int height,
        int width
    )
    {
        _horizontal.Prepare(region.Width, width);
        _vertical.Prepare(region.Height, height);
        if (_middle.Length < region.Height * width)
            _middle = new byte[region.Height * width];
        if (_accumulator.Length < width)
            _accumulator = new int[width];
        for (int c = 0; c < shape.Channels; c++)
        {
            var plane = source.Slice(c * shape.PlaneSize, shape.PlaneSize);
            for (int y = 0; y < region.Height; y++)
            {
                var row = plane.Slice((region.Top + y) * shape.Width + region.Left, region.Width);
                FilterRow(row, _middle.AsSpan(y * width, width));
            }
            var output = target.Slice(c * height * width, height * width);
            for (int y = 0; y < height; y++)
                FilterColumns(y, width, output.Slice(y * width, width));
        }
    }

    private void FilterRow(ReadOnlySpan<byte> row, Span<byte> target)
    {
        if (row.Length == target.Length)
        {
            row.CopyTo(target);
            return;
        }
        for (int x = 0; x < target.Length; x++)
        {
            var weights = _horizontal.Weights(x, out int first);
            int sum = ResizeAxis.Half + Dot(row.Slice(first, weights.Length), weights);
            target[x] = (byte)(sum >> ResizeAxis.PrecisionBits);
        }
    }

    /// <summary>Whole numbers, so that no order of adding changes the sum.</summary>
    private static int Dot(ReadOnlySpan<byte> pixels, ReadOnlySpan<int> weights)
    {
        int k = 0;
        int sum = 0;
        if (Avx2.IsSupported && pixels.Length >= Vector128<ushort>.Count)
        {
            ref byte pixel = ref MemoryMarshal.GetReference(pixels);
            ref int weight = ref MemoryMarshal.GetReference(weights);
            var sums = Vector256<int>.Zero;
            for (; k <= pixels.Length - Vector256<int>.Count; k += Vector256<int>.Count)
            {
                ulong eight = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref pixel, k));
                var wide = Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(eight).AsByte());
                sums += wide * Vector256.LoadUnsafe(ref weight, (nuint)k);
            }
            sum = Vector256.Sum(sums);
        }
        for (; k < weights.Length; k++)
            sum += weights[k] * pixels[k];
        return sum;
    }

    /// <summary>One output row: a weighted sum of whole rows, so it vectorises along the width.</summary>
    private void FilterColumns(int y, int width, Span<byte> target)
    {
        var weights = _vertical.Weights(y, out int first);
        if (weights.Length == 1)
        {
            _middle.AsSpan(first * width, width).CopyTo(target);
            return;
        }
        var sums = _accumulator.AsSpan(0, width);
        sums.Fill(ResizeAxis.Half);
        for (int k = 0; k < weights.Length; k++)
            AddScaled(_middle.AsSpan((first + k) * width, width), weights[k], sums);
        for (int x = 0; x < width; x++)
            target[x] = (byte)(sums[x] >> ResizeAxis.PrecisionBits);
    }

    private static void AddScaled(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        int x = 0;
        int lanes = Vector<int>.Count;
        for (; x + Vector<byte>.Count <= row.Length; x += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(row[x..]), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(low, out Vector<uint> a, out Vector<uint> b);
            Vector.Widen(high, out Vector<uint> c, out Vector<uint> d);
            Add(sums[x..], a, weight);
            Add(sums[(x + lanes)..], b, weight);
            Add(sums[(x + 2 * lanes)..], c, weight);
            Add(sums[(x + 3 * lanes)..], d, weight);
        }
        for (; x < row.Length; x++)
            sums[x] += row[x] * weight;
    }

    private static void Add(Span<int> sums, Vector<uint> pixels, int weight) =>
        (new Vector<int>(sums) + Vector.AsVectorInt32(pixels) * weight).CopyTo(sums);
}
