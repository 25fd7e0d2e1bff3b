namespace CnnSpec.Data;

/// <summary>
/// A decoded image of any size: uint8, <c>[C, H, W]</c>, one channel (grey) or three (red, green, blue).
/// </summary>
public sealed record Raster(ImageShape Shape, byte[] Pixels)
{
    /// <summary>The same image with another number of channels; see <see cref="ChannelConversion"/>.</summary>
    /// <exception cref="InputError">There is no way from this number of channels to that one.</exception>
    public Raster WithChannels(int channels)
    {
        if (channels == Shape.Channels)
            return this;
        var target = Shape with { Channels = channels };
        var pixels = new byte[target.Size];
        ChannelConversion.Between(Shape.Channels, channels).Apply(Pixels, pixels, Shape.PlaneSize);
        return new Raster(target, pixels);
    }

    /// <summary>From interleaved pixels (<c>[H, W, C]</c>), as decoders write them.</summary>
    public static Raster FromInterleaved(ReadOnlySpan<byte> interleaved, ImageShape shape)
    {
        var pixels = new byte[shape.Size];
        int plane = shape.PlaneSize;
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int i = 0; i < plane; i++)
                pixels[c * plane + i] = interleaved[i * shape.Channels + c];
        }
        return new Raster(shape, pixels);
    }
}
