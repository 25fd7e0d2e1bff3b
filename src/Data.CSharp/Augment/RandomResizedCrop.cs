namespace CnnSpec.Data;

/// <summary>
/// A random part of the image, resized (Szegedy et al. 2015, arXiv:1409.4842, section 6). The part is chosen by
/// torchvision's rule:
/// ten tries at an area and an aspect ratio, and if none fits, the largest part in the middle with an allowed ratio.
/// Filtering is torchvision's on PIL images; see <see cref="BilinearResizer"/>.
/// </summary>
/// <param name="scale">Part of the image's area, within (0, 1].</param>
/// <param name="ratio">Width over height of the part, in the image's own pixels.</param>
public sealed class RandomResizedCrop(int height, int width, Interval scale, Interval ratio) : ISampleTransform
{
    private const int Tries = 10;
    private readonly Interval _scale = scale.Within(0, 1, "scale");
    private readonly Interval _ratio = ratio.Within(1e-3, 1e3, "ratio");

    /// <summary>torchvision's defaults: 8 % to all of the area, ratios 3/4 to 4/3.</summary>
    public RandomResizedCrop(int height, int width)
        : this(height, width, new Interval(0.08, 1), new Interval(3.0 / 4, 4.0 / 3)) { }

    public ImageShape Output(ImageShape input) => Resize.To(height, width).Output(input);

    public void Apply(Canvas canvas, ref RandomStream random) =>
        Resize.Region(canvas, Region(canvas.Shape, ref random), new ImageShape(canvas.Shape.Channels, height, width));

    /// <summary>The part that is kept; always inside the image.</summary>
    internal Rectangle Region(ImageShape shape, ref RandomStream random)
    {
        for (int i = 0; i < Tries; i++)
        {
            double area = shape.PlaneSize * _scale.Draw(ref random);
            double aspect = _ratio.DrawRatio(ref random);
            int w = (int)Math.Round(Math.Sqrt(area * aspect));
            int h = (int)Math.Round(Math.Sqrt(area / aspect));
            if (w <= 0 || w > shape.Width || h <= 0 || h > shape.Height)
                continue;
            int top = random.NextInt(shape.Height - h + 1);
            return new Rectangle(top, random.NextInt(shape.Width - w + 1), h, w);
        }
        return Fallback(shape);
    }

    private Rectangle Fallback(ImageShape shape)
    {
        double aspect = Math.Clamp((double)shape.Width / shape.Height, _ratio.Low, _ratio.High);
        int w = Math.Clamp((int)Math.Round(shape.Height * aspect), 1, shape.Width);
        int h = Math.Clamp((int)Math.Round(shape.Width / aspect), 1, shape.Height);
        return new Rectangle((shape.Height - h) / 2, (shape.Width - w) / 2, h, w);
    }
}
