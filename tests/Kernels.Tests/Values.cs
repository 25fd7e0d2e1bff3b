using System.Runtime.InteropServices;
using NUnit.Framework;

namespace CnnSpec.Kernels.Tests;

/// <summary>Values in memory as the loops read them, and as doubles to work out what they should give.</summary>
internal sealed unsafe class Values : IDisposable
{
    /// <summary>Bytes after the values that no loop may write.</summary>
    private const int Guard = 256;

    private const byte Untouched = 0xa5;

    private readonly Element _element;
    private readonly int _count;
    private readonly void* _memory;

    private Values(Element element, int count)
    {
        (_element, _count) = (element, count);
        _memory = NativeMemory.AlignedAlloc((nuint)(count * SizeOf(element) + Guard), 64);
        After.Fill(Untouched);
    }

    public nint Pointer => (nint)_memory;

    /// <summary>Dense rows of so many channels.</summary>
    public Rows Rows(long channels) => new(Pointer, channels);

    /// <summary>Random values that the type holds exactly, so that only the loops' own arithmetic differs.</summary>
    public static Values Random(Random random, Element element, long count, double deviation = 1)
    {
        var values = new Values(element, checked((int)count));
        for (int i = 0; i < count; i++)
            values[i] = deviation * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 2;
        return values;
    }

    public static Values Of(Element element, params double[] given)
    {
        var values = new Values(element, given.Length);
        for (int i = 0; i < given.Length; i++)
            values[i] = given[i];
        return values;
    }

    /// <summary>Room for an output, filled with what no output is.</summary>
    public static Values Room(Element element, long count)
    {
        var values = new Values(element, checked((int)count));
        for (int i = 0; i < count; i++)
            values[i] = 1e9;
        return values;
    }

    public double this[long index]
    {
        get =>
            _element == Element.Float32
                ? ((float*)_memory)[index]
                : BitConverter.UInt32BitsToSingle((uint)((ushort*)_memory)[index] << 16);
        set
        {
            if (_element == Element.Float32)
                ((float*)_memory)[index] = (float)value;
            else
            {
                uint bits = BitConverter.SingleToUInt32Bits((float)value);
                ((ushort*)_memory)[index] = (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
            }
        }
    }

    public double[] All() => [.. Enumerable.Range(0, _count).Select(i => this[i])];

    /// <summary>The distance to what is expected is below a part of the latter's norm, which counts as 0.1 at least: of a few values that
    /// cancel out nothing but rounding may be left.</summary>
    public void AssertNear(double[] expected, double bound, string what)
    {
        double[] actual = All();
        Assert.That(actual, Has.Length.EqualTo(expected.Length), what);
        double distance = Math.Sqrt(actual.Zip(expected, (a, e) => (a - e) * (a - e)).Sum());
        double norm = Math.Sqrt(expected.Sum(e => e * e));
        Assert.That(distance, Is.LessThanOrEqualTo(bound * Math.Max(norm, 0.1)), what);
    }

    private Span<byte> After => new((byte*)_memory + _count * SizeOf(_element), Guard);

    public void Dispose()
    {
        bool written = After.ContainsAnyExcept(Untouched);
        NativeMemory.AlignedFree(_memory);
        Assert.That(written, Is.False, "a loop wrote past the end of an array");
    }

    private static int SizeOf(Element element) => element == Element.Float32 ? 4 : 2;
}

/// <summary>A seed that the test prints and CNNSPEC_TEST_SEED fixes.</summary>
internal static class Seeded
{
    public static Random Random()
    {
        string? given = Environment.GetEnvironmentVariable("CNNSPEC_TEST_SEED");
        int seed = given is null ? Environment.TickCount & 0xffffff : int.Parse(given);
        TestContext.Out.WriteLine($"CNNSPEC_TEST_SEED={seed}");
        return new Random(seed);
    }
}

/// <summary>The levels of vector instructions that this machine has.</summary>
internal static class Levels
{
    public static IEnumerable<string> Here() =>
        KernelLibrary.IsPresent ? new[] { "base", "avx2", "avx512" }.Where(KernelLibrary.Use).ToArray() : [];
}
