namespace CnnSpec.Data;

/// <summary>Turns the colour circle, through Pillow's 8-bit HSV as torchvision does with PIL images.</summary>
internal static class HueShift
{
    /// <param name="turn">Of the whole circle, in [-0.5, 0.5].</param>
    public static void Apply(Canvas canvas, double turn)
    {
        if (canvas.Shape.Channels != 3)
            return;
        int plane = canvas.Shape.PlaneSize;
        var red = canvas.Pixels[..plane];
        var green = canvas.Pixels.Slice(plane, plane);
        var blue = canvas.Pixels.Slice(2 * plane, plane);
        byte shift = unchecked((byte)(int)(turn * 255));
        for (int i = 0; i < plane; i++)
        {
            var (hue, saturation, value) = ToHsv(red[i], green[i], blue[i]);
            (red[i], green[i], blue[i]) = ToRgb(unchecked((byte)(hue + shift)), saturation, value);
        }
    }

    private static (byte Hue, byte Saturation, byte Value) ToHsv(byte r, byte g, byte b)
    {
        byte high = Math.Max(r, Math.Max(g, b));
        byte low = Math.Min(r, Math.Min(g, b));
        if (high == low)
            return (0, 0, high);
        float range = high - low;
        float fromRed = (high - r) / range;
        float fromGreen = (high - g) / range;
        float fromBlue = (high - b) / range;
        float hue =
            r == high ? fromBlue - fromGreen
            : g == high ? 2f + fromRed - fromBlue
            : 4f + fromGreen - fromRed;
        double turned = hue / 6.0 + 1.0;
        float circle = (float)(turned - Math.Floor(turned));
        return ((byte)(circle * 255.0), (byte)(range / high * 255.0), high);
    }

    private static (byte R, byte G, byte B) ToRgb(byte h, byte s, byte v)
    {
        if (s == 0)
            return (v, v, v);
        float sector = (float)(h * 6.0 / 255.0);
        float saturation = (float)(s / 255.0);
        int i = (int)sector;
        float f = sector - i;
        byte p = Rounded(v * (1.0 - saturation));
        byte q = Rounded(v * (1.0 - saturation * f));
        byte t = Rounded(v * (1.0 - saturation * (1.0 - f)));
        return (i % 6) switch
        {
            0 => (v, t, p),
            1 => (q, v, p),
            2 => (p, v, t),
            3 => (p, q, v),
            4 => (t, p, v),
            _ => (v, p, q),
        };
    }

    private static byte Rounded(double level) =>
        (byte)Math.Clamp((int)Math.Round(level, MidpointRounding.AwayFromZero), 0, 255);
}
