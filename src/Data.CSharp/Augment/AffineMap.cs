namespace CnnSpec.Data;

/// <summary>How pixels between pixels are made up.</summary>
public enum Interpolation
{
    /// <summary>The nearest pixel.</summary>
    Nearest,

    /// <summary>The four nearest, weighted by distance.</summary>
    Bilinear,
}

/// <summary>
/// Where each pixel of the result comes from, in coordinates where a pixel's centre is at ½:
/// <c>x = A·x' + B·y' + C</c>, <c>y = D·x' + E·y' + F</c>. What comes from outside of the image is black.
/// </summary>
internal readonly record struct AffineMap(double A, double B, double C, double D, double E, double F)
{
    /// <summary>
    /// Turned counter-clockwise about the middle, then scaled, sheared and moved, by the formula of torchvision's
    /// <c>affine</c>.
    /// </summary>
    /// <param name="angle">Clockwise, in degrees, as in torchvision's <c>affine</c>; its <c>rotate</c> takes the
    /// opposite.</param>
    /// <param name="shearX">In degrees; so is the other.</param>
    public static AffineMap About(
        ImageShape shape,
        double angle,
        double moveX,
        double moveY,
        double scale,
        double shearX,
        double shearY
    )
    {
        double turn = double.DegreesToRadians(angle);
        double sx = double.DegreesToRadians(shearX);
        double sy = double.DegreesToRadians(shearY);
        double a = Math.Cos(turn - sy) / Math.Cos(sy);
        double b = -a * Math.Tan(sx) - Math.Sin(turn);
        double c = Math.Sin(turn - sy) / Math.Cos(sy);
        double d = -c * Math.Tan(sx) + Math.Cos(turn);
        double centreX = shape.Width * 0.5;
        double centreY = shape.Height * 0.5;
        var (m0, m1, m3, m4) = (d / scale, -b / scale, -c / scale, a / scale);
        double offX = -centreX - moveX;
        double offY = -centreY - moveY;
        return new AffineMap(m0, m1, m0 * offX + m1 * offY + centreX, m3, m4, m3 * offX + m4 * offY + centreY);
    }

    public void Apply(Canvas canvas, Interpolation interpolation)
    {
        var shape = canvas.Shape;
        var source = canvas.Pixels;
        var target = canvas.Next(shape);
        target.Clear();
        if (interpolation == Interpolation.Nearest)
            Nearest(source, target, shape);
        else
            Bilinear(source, target, shape);
        canvas.Replace(shape);
    }

    /// <summary>
    /// With the 16-bit fixed-point positions of Pillow's <c>affine_fixed</c>, so that ties fall as they do there.
    /// </summary>
    private void Nearest(ReadOnlySpan<byte> source, Span<byte> target, ImageShape shape)
    {
        var (a, b, c) = (Fixed(A), Fixed(B), Fixed(C + (A + B) * 0.5));
        var (d, e, f) = (Fixed(D), Fixed(E), Fixed(F + (D + E) * 0.5));
        for (int y = 0; y < shape.Height; y++)
        {
            for (int x = 0; x < shape.Width; x++)
            {
                long fromX = (a * x + b * y + c) >> FractionBits;
                long fromY = (d * x + e * y + f) >> FractionBits;
                if ((ulong)fromX < (ulong)shape.Width && (ulong)fromY < (ulong)shape.Height)
                    Copy(source, (int)(fromY * shape.Width + fromX), target, y * shape.Width + x, shape);
            }
        }
    }

    private void Bilinear(ReadOnlySpan<byte> source, Span<byte> target, ImageShape shape)
    {
        for (int y = 0; y < shape.Height; y++)
        {
            for (int x = 0; x < shape.Width; x++)
            {
                double fromX = A * (x + 0.5) + B * (y + 0.5) + C;
                double fromY = D * (x + 0.5) + E * (y + 0.5) + F;
                if (fromX >= 0 && fromX < shape.Width && fromY >= 0 && fromY < shape.Height)
                    Blend(source, fromX - 0.5, fromY - 0.5, target, y * shape.Width + x, shape);
            }
        }
    }

    private const int FractionBits = 16;

    private static long Fixed(double value) => (long)Math.Floor(value * (1 << FractionBits) + 0.5);

    private static void Copy(ReadOnlySpan<byte> source, int from, Span<byte> target, int at, ImageShape shape)
    {
        for (int c = 0; c < shape.Channels; c++)
            target[c * shape.PlaneSize + at] = source[c * shape.PlaneSize + from];
    }

    private static void Blend(
        ReadOnlySpan<byte> source,
        double x,
        double y,
        Span<byte> target,
        int at,
        ImageShape shape
    )
    {
        int left = (int)Math.Floor(x);
        int top = (int)Math.Floor(y);
        double dx = x - left;
        double dy = y - top;
        int x0 = Math.Max(left, 0);
        int x1 = Math.Min(left + 1, shape.Width - 1);
        int y0 = Math.Max(top, 0) * shape.Width;
        int y1 = Math.Min(top + 1, shape.Height - 1) * shape.Width;
        for (int c = 0; c < shape.Channels; c++)
        {
            var plane = source.Slice(c * shape.PlaneSize, shape.PlaneSize);
            double upper = plane[y0 + x0] + (plane[y0 + x1] - plane[y0 + x0]) * dx;
            double lower = plane[y1 + x0] + (plane[y1 + x1] - plane[y1 + x0]) * dx;
            target[c * shape.PlaneSize + at] = (byte)(upper + (lower - upper) * dy + 0.5);
        }
    }
}
