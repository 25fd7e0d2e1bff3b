namespace CnnSpec.Data;

/// <summary>Mirrors left and right with the given probability.</summary>
public sealed class RandomHorizontalFlip(double probability = 0.5) : ISampleTransform
{
    private readonly double _probability = Interval.Probability(probability);

    public ImageShape Output(ImageShape input) => input;

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        if (!random.NextBool(_probability))
            return;
        var pixels = canvas.Pixels;
        int width = canvas.Shape.Width;
        for (int row = 0; row < pixels.Length; row += width)
            pixels.Slice(row, width).Reverse();
    }
}

/// <summary>Turns top to bottom with the given probability.</summary>
public sealed class RandomVerticalFlip(double probability = 0.5) : ISampleTransform
{
    private readonly double _probability = Interval.Probability(probability);

    public ImageShape Output(ImageShape input) => input;

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        if (!random.NextBool(_probability))
            return;
        var shape = canvas.Shape;
        var source = canvas.Pixels;
        var target = canvas.Next(shape);
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                int from = (c * shape.Height + y) * shape.Width;
                int to = (c * shape.Height + shape.Height - 1 - y) * shape.Width;
                source.Slice(from, shape.Width).CopyTo(target[to..]);
            }
        }
        canvas.Replace(shape);
    }
}
