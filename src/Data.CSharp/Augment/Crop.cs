namespace CnnSpec.Data;

/// <summary>
/// The middle of the image; where the image is smaller, black is added around it, as torchvision does.
/// </summary>
public sealed class CenterCrop(int height, int width) : ISampleTransform
{
    public ImageShape Output(ImageShape input)
    {
        if (height <= 0 || width <= 0)
            throw new InputError($"a crop of {height}×{width} has no pixels", "use 1×1 or more");
        return new ImageShape(input.Channels, height, width);
    }

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        if (canvas.Shape.Height != height || canvas.Shape.Width != width)
            Pad.Window(canvas, Rectangle.Centre(canvas.Shape, height, width), PadMode.Zero);
    }
}

/// <summary>
/// Pads the image and cuts a rectangle out at a random place: with padding 4, the standard augmentation of CIFAR-10.
/// </summary>
public sealed class RandomCrop(int height, int width, int padding = 0, PadMode mode = PadMode.Zero) : ISampleTransform
{
    private readonly Pad _pad = new(padding, mode);

    public ImageShape Output(ImageShape input)
    {
        var padded = _pad.Output(input);
        if (height <= 0 || width <= 0 || padded.Height < height || padded.Width < width)
            throw new InputError(
                $"a crop of {height}×{width} does not fit in {padded.Height}×{padded.Width}",
                "make the crop smaller or the padding larger"
            );
        return new ImageShape(input.Channels, height, width);
    }

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        int top = random.NextInt(canvas.Shape.Height + 2 * padding - height + 1) - padding;
        int left = random.NextInt(canvas.Shape.Width + 2 * padding - width + 1) - padding;
        Pad.Window(canvas, new Rectangle(top, left, height, width), mode);
    }
}
