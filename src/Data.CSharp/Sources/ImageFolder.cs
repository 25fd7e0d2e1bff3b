namespace CnnSpec.Data;

/// <summary>
/// Image files in one folder for each class, decoded when they are read. The shorter side is resized to cover the
/// wanted shape
/// (antialiased, bilinear) and the middle is cut out. Files and classes are in ordinal order of their names.
/// Photographs stand as their EXIF orientation says; a transparent image is laid over white.
/// </summary>
public sealed class ImageFolder : IImageSource
{
    private readonly (string Path, int Label)[] _files;
    private readonly ThreadLocal<BilinearResizer> _resizer = new(() => new BilinearResizer());

    internal ImageFolder((string, int)[] files, ImageShape shape, IReadOnlyList<string> classNames) =>
        (_files, Shape, ClassNames) = (files, shape, classNames);

    public int Count => _files.Length;
    public ImageShape Shape { get; }
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Where an image is.</summary>
    public string PathOf(int index) => _files[index].Path;

    public int Label(int index) => _files[index].Label;

    public void Read(int index, Span<byte> pixels) =>
        Fit(ImageDecoder.Read(_files[index].Path), Shape, pixels, _resizer.Value!);

    /// <summary>Gives an image another shape: channels converted, shorter side resized, middle cut out.</summary>
    internal static void Fit(Raster image, ImageShape shape, Span<byte> target, BilinearResizer resizer)
    {
        image = image.WithChannels(shape.Channels);
        // The part of the original that the result shows; cutting first and resizing after gives the same picture for
        // less work.
        double scale = Math.Min((double)image.Shape.Height / shape.Height, (double)image.Shape.Width / shape.Width);
        int height = Math.Clamp((int)Math.Round(shape.Height * scale), 1, image.Shape.Height);
        int width = Math.Clamp((int)Math.Round(shape.Width * scale), 1, image.Shape.Width);
        var region = Rectangle.Centre(image.Shape, height, width);
        resizer.Resize(image.Pixels, image.Shape, region, target, shape.Height, shape.Width);
    }
}
