namespace CnnSpec.Data;

/// <summary>From grey to red, green and blue, or back.</summary>
public sealed class ChannelConversion
{
    private readonly int _from;
    private readonly int _to;

    private ChannelConversion(int from, int to) => (_from, _to) = (from, to);

    /// <summary>Whether it changes nothing.</summary>
    public bool IsIdentity => _from == _to;

    /// <summary>Whether it mixes channels, so that statistics must be measured afresh.</summary>
    public bool Mixes => _from == 3 && _to == 1;

    /// <summary>What it does, for a person; null when nothing.</summary>
    public string? Description =>
        IsIdentity ? null
        : Mixes ? "RGB turned to grey by luma"
        : $"grey repeated in {_to} channels";

    /// <exception cref="InputError">Only grey to any number of channels, and RGB to grey, have a meaning.</exception>
    public static ChannelConversion Between(int from, int to)
    {
        if (from == to || from == 1 || (from == 3 && to == 1))
            return new ChannelConversion(from, to);
        throw new InputError(
            $"images of {from} channels cannot be turned into {to} channels",
            $"use an input of {from} channels" + (from == 3 ? " or 1" : "")
        );
    }

    /// <summary>
    /// Grey is repeated. Luma is Pillow's ITU-R 601-2, <c>(19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶</c>.
    /// </summary>
    public void Apply(ReadOnlySpan<byte> source, Span<byte> target, int planeSize)
    {
        if (IsIdentity)
        {
            source.CopyTo(target);
        }
        else if (Mixes)
        {
            Luma(source, target, planeSize);
        }
        else
        {
            for (int c = 0; c < _to; c++)
                source.CopyTo(target.Slice(c * planeSize, planeSize));
        }
    }

    /// <summary>Grey levels of a <c>[3, H, W]</c> image.</summary>
    internal static void Luma(ReadOnlySpan<byte> source, Span<byte> target, int planeSize)
    {
        var red = source[..planeSize];
        var green = source.Slice(planeSize, planeSize);
        var blue = source.Slice(2 * planeSize, planeSize);
        for (int i = 0; i < planeSize; i++)
            target[i] = (byte)((red[i] * 19595 + green[i] * 38470 + blue[i] * 7471 + 0x8000) >> 16);
    }
}
