namespace CnnSpec.Data;

/// <summary>Part of an image, in pixels from its upper left corner.</summary>
public readonly record struct Rectangle(int Top, int Left, int Height, int Width)
{
    /// <summary>All of an image.</summary>
    public static Rectangle Whole(ImageShape shape) => new(0, 0, shape.Height, shape.Width);

    /// <summary>
    /// The middle of an image; an odd margin leaves the extra pixel below and to the right, rounded as torchvision's
    /// <c>center_crop</c> does.
    /// </summary>
    public static Rectangle Centre(ImageShape shape, int height, int width) =>
        new(HalfToEven(shape.Height - height), HalfToEven(shape.Width - width), height, width);

    private static int HalfToEven(int margin) => (int)Math.Round(margin / 2.0, MidpointRounding.ToEven);
}
