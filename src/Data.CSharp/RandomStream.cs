namespace CnnSpec.Data;

/// <summary>
/// A small random generator whose numbers are the same on every platform and in every version: SplitMix64
/// (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"). A stream is derived from what it is for
/// (seed, epoch, image), so what an image draws never depends on which thread reads it, or when.
/// </summary>
public struct RandomStream(ulong seed)
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;
    private ulong _state = seed;

    /// <summary>The state between draws. <c>new RandomStream(State)</c> goes on from there.</summary>
    public readonly ulong State => _state;

    /// <summary>
    /// The stream of one purpose: equal arguments give equal streams, different ones unrelated streams.
    /// </summary>
    public static RandomStream For(ulong seed, ulong first, ulong second = 0, ulong third = 0)
    {
        ulong state = Mix(seed + Gamma);
        foreach (ulong part in (ReadOnlySpan<ulong>)[first, second, third])
            state = Mix(state + Gamma ^ Mix(part + Gamma));
        return new RandomStream(state);
    }

    /// <summary>64 uniform bits.</summary>
    public ulong NextUInt64() => Mix(_state += Gamma);

    /// <summary>Uniform in <c>[0, 1)</c>, a multiple of 2⁻²⁴.</summary>
    public float NextFloat() => (NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>Uniform in <c>[0, 1)</c>, a multiple of 2⁻⁵³.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in <c>[low, high)</c>.</summary>
    public float NextFloat(float low, float high) => low + (high - low) * NextFloat();

    /// <summary>Uniform in <c>[low, high)</c>.</summary>
    public double NextDouble(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Uniform in <c>[0, bound)</c>, without bias (Lemire 2019, arXiv:1805.10941).</summary>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        ulong product = (NextUInt64() >> 32) * (ulong)bound;
        if ((uint)product < (uint)bound)
        {
            uint threshold = (uint)-bound % (uint)bound;
            while ((uint)product < threshold)
                product = (NextUInt64() >> 32) * (ulong)bound;
        }
        return (int)(product >> 32);
    }

    /// <summary>True with probability <paramref name="probability"/>.</summary>
    public bool NextBool(double probability) => NextDouble() < probability;

    /// <summary>Fisher–Yates: every order is equally likely.</summary>
    public void Shuffle(Span<int> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
