namespace CnnSpec.Data;

/// <summary>The shape of one image, channels first as the networks take it: <c>[C, H, W]</c>.</summary>
public readonly record struct ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Pixels of one channel, <c>H × W</c>.</summary>
    public int PlaneSize => checked(Height * Width);

    /// <summary>Values of one image, <c>C × H × W</c>; as uint8, also its bytes.</summary>
    public int Size => checked(Channels * Height * Width);

    public override string ToString() => $"{Channels}×{Height}×{Width}";
}
