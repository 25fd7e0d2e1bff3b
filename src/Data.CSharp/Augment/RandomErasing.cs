namespace CnnSpec.Data;

/// <summary>
/// Blanks a random rectangle (Zhong et al. 2017, arXiv:1708.04896), chosen by torchvision's rule: ten tries, then none.
/// </summary>
/// <remarks>
/// Differs: it works on the image before it is normalised. With the training mean as fill, a blank pixel is within half
/// a grey level
/// of the zero that torchvision writes after normalisation.
/// </remarks>
public sealed class RandomErasing : ISampleTransform
{
    private const int Tries = 10;
    private readonly double _probability;
    private readonly Interval _scale;
    private readonly Interval _ratio;
    private readonly Blank _blank;

    /// <param name="fill">Its mean fills the rectangle; null for black.</param>
    /// <param name="scale">Part of the area; torchvision's 2 % to 33 % when null.</param>
    /// <param name="ratio">Height over width; torchvision's 0.3 to 3.3 when null.</param>
    public RandomErasing(
        double probability = 0.5,
        ChannelStatistics? fill = null,
        Interval? scale = null,
        Interval? ratio = null
    )
    {
        _probability = Interval.Probability(probability);
        _scale = (scale ?? new Interval(0.02, 0.33)).Within(0, 1, "scale");
        _ratio = (ratio ?? new Interval(0.3, 3.3)).Within(1e-3, 1e3, "ratio");
        _blank = new Blank(fill);
    }

    public ImageShape Output(ImageShape input) => _blank.Checked(input);

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        if (!random.NextBool(_probability))
            return;
        var shape = canvas.Shape;
        for (int i = 0; i < Tries; i++)
        {
            double area = shape.PlaneSize * _scale.Draw(ref random);
            double aspect = _ratio.DrawRatio(ref random);
            int h = (int)Math.Round(Math.Sqrt(area * aspect));
            int w = (int)Math.Round(Math.Sqrt(area / aspect));
            if (h >= shape.Height || w >= shape.Width)
                continue;
            int top = random.NextInt(shape.Height - h + 1);
            _blank.Fill(canvas, new Rectangle(top, random.NextInt(shape.Width - w + 1), h, w));
            return;
        }
    }
}

/// <summary>
/// Blanks a square around a random pixel, cut off at the edges (DeVries and Taylor 2017, arXiv:1708.04552).
/// </summary>
/// <param name="size">Side of the square in pixels.</param>
/// <param name="fill">Its mean fills the square; null for black.</param>
public sealed class Cutout(int size, ChannelStatistics? fill = null) : ISampleTransform
{
    private readonly Blank _blank = new(fill);

    public ImageShape Output(ImageShape input)
    {
        if (size <= 0)
            throw new InputError($"a cutout of {size} pixels has no area", "use 1 or more");
        return _blank.Checked(input);
    }

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        var shape = canvas.Shape;
        int y = random.NextInt(shape.Height) - size / 2;
        int x = random.NextInt(shape.Width) - size / 2;
        int top = Math.Max(0, y);
        int left = Math.Max(0, x);
        int height = Math.Min(shape.Height, y + size) - top;
        int width = Math.Min(shape.Width, x + size) - left;
        _blank.Fill(canvas, new Rectangle(top, left, height, width));
    }
}

/// <summary>The level that each channel of a blanked rectangle gets.</summary>
internal sealed class Blank(ChannelStatistics? fill)
{
    private readonly byte[]? _levels = fill?.Mean.Select(m => (byte)Math.Clamp(Math.Round(m * 255), 0, 255)).ToArray();

    public ImageShape Checked(ImageShape shape) =>
        _levels is null || _levels.Length == shape.Channels
            ? shape
            : throw new InputError(
                $"the fill has {_levels.Length} channels, the images have {shape.Channels}",
                "give one mean for each channel"
            );

    public void Fill(Canvas canvas, Rectangle area)
    {
        var shape = canvas.Shape;
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int y = area.Top; y < area.Top + area.Height; y++)
                canvas
                    .Pixels.Slice((c * shape.Height + y) * shape.Width + area.Left, area.Width)
                    .Fill(_levels?[c] ?? 0);
        }
    }
}
