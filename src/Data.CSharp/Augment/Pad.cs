namespace CnnSpec.Data;

/// <summary>What padding is made of.</summary>
public enum PadMode
{
    /// <summary>Black.</summary>
    Zero,

    /// <summary>The image mirrored at its edge, the edge itself not repeated.</summary>
    Reflect,
}

/// <summary>Adds pixels on all four sides: <c>[C, H, W] → [C, H + 2p, W + 2p]</c>.</summary>
public sealed class Pad(int padding, PadMode mode = PadMode.Zero) : ISampleTransform
{
    public ImageShape Output(ImageShape input)
    {
        if (padding < 0 || (mode == PadMode.Reflect && padding >= Math.Min(input.Height, input.Width)))
            throw new InputError(
                $"a padding of {padding} does not fit images of {input.Height}×{input.Width}",
                mode == PadMode.Reflect ? "reflection needs a padding smaller than the image" : "use 0 or more"
            );
        return new ImageShape(input.Channels, input.Height + 2 * padding, input.Width + 2 * padding);
    }

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        var shape = canvas.Shape;
        Window(canvas, new Rectangle(-padding, -padding, shape.Height + 2 * padding, shape.Width + 2 * padding), mode);
    }

    /// <summary>
    /// Makes a rectangle that may reach outside of the image the image; what lies outside is padding.
    /// </summary>
    internal static void Window(Canvas canvas, Rectangle window, PadMode mode)
    {
        var shape = canvas.Shape;
        var result = new ImageShape(shape.Channels, window.Height, window.Width);
        var source = canvas.Pixels;
        var target = canvas.Next(result);
        int left = Math.Max(0, -window.Left);
        int inside = Math.Max(0, Math.Min(window.Width, shape.Width - window.Left) - left);
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int y = 0; y < window.Height; y++)
            {
                var row = target.Slice((c * window.Height + y) * window.Width, window.Width);
                int from = window.Top + y;
                if (mode == PadMode.Reflect)
                    from = Mirror(from, shape.Height);
                if (from < 0 || from >= shape.Height)
                {
                    row.Clear();
                    continue;
                }
                var line = source.Slice((c * shape.Height + from) * shape.Width, shape.Width);
                line.Slice(window.Left + left, inside).CopyTo(row[left..]);
                Fill(row[..left], line, window.Left, mode);
                Fill(row[(left + inside)..], line, window.Left + left + inside, mode);
            }
        }
        canvas.Replace(result);
    }

    private static void Fill(Span<byte> outside, ReadOnlySpan<byte> line, int position, PadMode mode)
    {
        if (mode == PadMode.Zero)
        {
            outside.Clear();
            return;
        }
        for (int x = 0; x < outside.Length; x++)
            outside[x] = line[Mirror(position + x, line.Length)];
    }

    private static int Mirror(int position, int length)
    {
        if (position < 0)
            return -position;
        return position < length ? position : 2 * (length - 1) - position;
    }
}
