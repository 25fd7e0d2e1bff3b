namespace CnnSpec.Data;

/// <summary>
/// Changes of colour on uint8 images, with the arithmetic of Pillow's <c>ImageEnhance</c> and <c>ImageOps</c> and so of
/// torchvision on
/// PIL images. A factor of 1 changes nothing; images of one channel have no saturation.
/// </summary>
internal static class ColourOperations
{
    /// <summary>Towards or away from black.</summary>
    public static void Brightness(Canvas canvas, float factor)
    {
        Towards(canvas, 0, factor);
    }

    /// <summary>Towards or away from the mean grey of the image.</summary>
    public static void Contrast(Canvas canvas, float factor)
    {
        var grey = Grey(canvas);
        long sum = 0;
        foreach (byte g in grey)
            sum += g;
        byte mean = (byte)((double)sum / grey.Length + 0.5);
        Towards(canvas, mean, factor);
    }

    /// <summary>Towards or away from the image in grey.</summary>
    public static void Saturation(Canvas canvas, float factor)
    {
        if (canvas.Shape.Channels != 3)
            return;
        var grey = Grey(canvas);
        for (int c = 0; c < 3; c++)
        {
            var channel = canvas.Pixels.Slice(c * grey.Length, grey.Length);
            for (int i = 0; i < channel.Length; i++)
                channel[i] = Blend(grey[i], channel[i], factor);
        }
    }

    /// <summary>
    /// Towards or away from a smoothed image; the outermost pixels have nothing to be smoothed with and stay.
    /// </summary>
    public static void Sharpness(Canvas canvas, float factor)
    {
        var shape = canvas.Shape;
        if (shape.Height < 3 || shape.Width < 3)
            return;
        var source = canvas.Pixels;
        var target = canvas.Next(shape);
        source.CopyTo(target);
        int w = shape.Width;
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int y = 1; y < shape.Height - 1; y++)
            {
                for (int x = 1; x < w - 1; x++)
                {
                    int i = (c * shape.Height + y) * w + x;
                    int sum = source[i - w - 1] + source[i - w] + source[i - w + 1];
                    sum += source[i - 1] + 5 * source[i] + source[i + 1];
                    sum += source[i + w - 1] + source[i + w] + source[i + w + 1];
                    target[i] = Blend((byte)(sum / 13f + 0.5f), source[i], factor);
                }
            }
        }
        canvas.Replace(shape);
    }

    /// <summary>Keeps the highest bits of each level.</summary>
    public static void Posterize(Canvas canvas, int bits)
    {
        byte mask = (byte)~(0xff >> bits);
        foreach (ref byte p in canvas.Pixels)
            p &= mask;
    }

    /// <summary>Inverts levels at or above the threshold.</summary>
    public static void Solarize(Canvas canvas, double threshold)
    {
        foreach (ref byte p in canvas.Pixels)
            p = p < threshold ? p : (byte)(255 - p);
    }

    /// <summary>Stretches each channel over the whole range.</summary>
    public static void AutoContrast(Canvas canvas)
    {
        int plane = canvas.Shape.PlaneSize;
        for (int c = 0; c < canvas.Shape.Channels; c++)
        {
            var channel = canvas.Pixels.Slice(c * plane, plane);
            byte low = 255;
            byte high = 0;
            foreach (byte p in channel)
            {
                low = Math.Min(low, p);
                high = Math.Max(high, p);
            }
            if (high <= low)
                continue;
            double scale = 255.0 / (high - low);
            foreach (ref byte p in channel)
                p = (byte)Math.Clamp((int)(p * scale - low * scale), 0, 255);
        }
    }

    /// <summary>Flattens the histogram of each channel.</summary>
    public static void Equalize(Canvas canvas)
    {
        int plane = canvas.Shape.PlaneSize;
        Span<int> histogram = stackalloc int[256];
        Span<byte> table = stackalloc byte[256];
        for (int c = 0; c < canvas.Shape.Channels; c++)
        {
            var channel = canvas.Pixels.Slice(c * plane, plane);
            histogram.Clear();
            foreach (byte p in channel)
                histogram[p]++;
            int highest = histogram.LastIndexOfAnyExcept(0);
            int step = (plane - histogram[highest]) / 255;
            if (step == 0)
                continue;
            int total = step / 2;
            for (int level = 0; level < 256; level++)
            {
                table[level] = (byte)Math.Min(255, total / step);
                total += histogram[level];
            }
            foreach (ref byte p in channel)
                p = table[p];
        }
    }

    /// <summary>Grey levels in the canvas's other buffer; the image itself when it has but one channel.</summary>
    private static ReadOnlySpan<byte> Grey(Canvas canvas)
    {
        if (canvas.Shape.Channels != 3)
            return canvas.Pixels;
        var grey = canvas.Next(canvas.Shape with { Channels = 1 });
        ChannelConversion.Luma(canvas.Pixels, grey, canvas.Shape.PlaneSize);
        return grey;
    }

    /// <summary>One level is the same for all pixels, so 256 blends make a table for them all.</summary>
    private static void Towards(Canvas canvas, byte level, float factor)
    {
        Span<byte> table = stackalloc byte[256];
        for (int p = 0; p < 256; p++)
            table[p] = Blend(level, (byte)p, factor);
        foreach (ref byte p in canvas.Pixels)
            p = table[p];
    }

    private static byte Blend(byte from, byte to, float factor)
    {
        float value = from + factor * (to - from);
        return value <= 0 ? (byte)0
            : value >= 255 ? (byte)255
            : (byte)value;
    }
}
