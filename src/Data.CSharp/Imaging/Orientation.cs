using SkiaSharp;

namespace CnnSpec.Data;

/// <summary>Turns an image the right way up, as a camera noted it (EXIF 2.3, tag 0x0112).</summary>
internal static class Orientation
{
    public static Raster Upright(Raster image, SKEncodedOrigin origin)
    {
        if (origin is SKEncodedOrigin.TopLeft or SKEncodedOrigin.Default)
            return image;
        var (channels, height, width) = image.Shape;
        bool turns = origin is >= SKEncodedOrigin.LeftTop;
        var shape = turns ? new ImageShape(channels, width, height) : image.Shape;
        var pixels = new byte[shape.Size];
        for (int c = 0; c < channels; c++)
        {
            var source = image.Pixels.AsSpan(c * height * width, height * width);
            var target = pixels.AsSpan(c * height * width, height * width);
            for (int y = 0; y < shape.Height; y++)
            for (int x = 0; x < shape.Width; x++)
            {
                var (row, column) = origin switch
                {
                    SKEncodedOrigin.TopRight => (y, width - 1 - x),
                    SKEncodedOrigin.BottomRight => (height - 1 - y, width - 1 - x),
                    SKEncodedOrigin.BottomLeft => (height - 1 - y, x),
                    SKEncodedOrigin.LeftTop => (x, y),
                    SKEncodedOrigin.RightTop => (height - 1 - x, y),
                    SKEncodedOrigin.RightBottom => (height - 1 - x, width - 1 - y),
                    _ => (x, width - 1 - y),
                };
                target[y * shape.Width + x] = source[row * width + column];
            }
        }
        return new Raster(shape, pixels);
    }
}
