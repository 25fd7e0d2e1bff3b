namespace CnnSpec.Data;

/// <summary>
/// Gives every image one size, with antialiased bilinear filtering; see <see cref="BilinearResizer"/>.
/// </summary>
public sealed class Resize : ISampleTransform
{
    private readonly int _height;
    private readonly int? _width;

    private Resize(int height, int? width)
    {
        if (height <= 0 || width <= 0)
            throw new InputError($"a size of {height}×{width ?? height} has no pixels", "use 1×1 or more");
        (_height, _width) = (height, width);
    }

    /// <summary>Exactly this size, whatever that does to the proportions.</summary>
    public static Resize To(int height, int width) => new(height, width);

    /// <summary>
    /// The shorter side becomes <paramref name="size"/> and the longer follows, rounded down, as in torchvision.
    /// </summary>
    public static Resize ShorterSide(int size) => new(size, null);

    public ImageShape Output(ImageShape input)
    {
        if (_width is { } width)
            return new ImageShape(input.Channels, _height, width);
        return input.Height <= input.Width
            ? new ImageShape(input.Channels, _height, (int)((long)_height * input.Width / input.Height))
            : new ImageShape(input.Channels, (int)((long)_height * input.Height / input.Width), _height);
    }

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        var target = Output(canvas.Shape);
        if (target != canvas.Shape)
            Region(canvas, Rectangle.Whole(canvas.Shape), target);
    }

    /// <summary>Makes a rectangle of the image, resized, the image.</summary>
    internal static void Region(Canvas canvas, Rectangle region, ImageShape target)
    {
        var next = canvas.Next(target);
        canvas.Resizer.Resize(canvas.Pixels, canvas.Shape, region, next, target.Height, target.Width);
        canvas.Replace(target);
    }
}
