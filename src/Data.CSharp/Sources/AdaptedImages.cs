namespace CnnSpec.Data;

/// <summary>
/// Images of another source, given the shape that a network wants. One rule decides how, for all images alike:
/// equal sizes are left alone; a target larger by an even margin of at most a quarter of the image gets the image in
/// its middle,
/// with zeros around it (28×28 → 32×32 is the input of LeNet-5: LeCun et al. 1998, section II.B); anything else is
/// resized.
/// Channels are converted by <see cref="ChannelConversion"/>.
/// </summary>
public sealed class AdaptedImages : IImageSource
{
    private readonly IImageSource _source;
    private readonly ChannelConversion _conversion;
    private readonly bool _pads;
    private readonly ThreadLocal<Canvas> _canvas = new(() => new Canvas());

    private AdaptedImages(IImageSource source, ImageShape wanted)
    {
        _source = source;
        Shape = wanted;
        _conversion = ChannelConversion.Between(source.Shape.Channels, wanted.Channels);
        _pads = Pads(source.Shape.Height, wanted.Height) && Pads(source.Shape.Width, wanted.Width);
    }

    public int Count => _source.Count;
    public ImageShape Shape { get; }
    public IReadOnlyList<string> ClassNames => _source.ClassNames;

    /// <summary>The source itself when it has the wanted shape already.</summary>
    /// <exception cref="InputError">Its channels cannot be converted.</exception>
    public static IImageSource To(IImageSource source, ImageShape wanted) =>
        source.Shape == wanted ? source : new AdaptedImages(source, wanted);

    /// <summary>
    /// What <see cref="To"/> does, for a person, such as <c>padded 28×28 → 32×32</c>; null when nothing.
    /// </summary>
    /// <inheritdoc cref="To"/>
    public static string? Describe(ImageShape native, ImageShape wanted)
    {
        bool pads = Pads(native.Height, wanted.Height) && Pads(native.Width, wanted.Width);
        string? geometry =
            native.Height == wanted.Height && native.Width == wanted.Width
                ? null
                : $"{(pads ? "padded" : "resized")} {native.Height}×{native.Width} → {wanted.Height}×{wanted.Width}";
        string? channels = ChannelConversion.Between(native.Channels, wanted.Channels).Description;
        return (geometry, channels) switch
        {
            (null, _) => channels,
            (_, null) => geometry,
            _ => $"{geometry}, {channels}",
        };
    }

    public int Label(int index) => _source.Label(index);

    public void Read(int index, Span<byte> pixels)
    {
        var canvas = _canvas.Value!;
        _source.Read(index, canvas.Begin(_source.Shape));
        if (!_conversion.IsIdentity)
        {
            var converted = _source.Shape with { Channels = Shape.Channels };
            _conversion.Apply(canvas.Pixels, canvas.Next(converted), converted.PlaneSize);
            canvas.Replace(converted);
        }
        if (_pads)
            PadWithZeros(canvas.Pixels, canvas.Shape, pixels);
        else
            canvas.Resizer.Resize(
                canvas.Pixels,
                canvas.Shape,
                Rectangle.Whole(canvas.Shape),
                pixels,
                Shape.Height,
                Shape.Width
            );
    }

    private static bool Pads(int native, int wanted)
    {
        int margin = wanted - native;
        return margin >= 0 && margin % 2 == 0 && margin * 4 <= native;
    }

    private void PadWithZeros(ReadOnlySpan<byte> image, ImageShape shape, Span<byte> target)
    {
        target.Clear();
        int top = (Shape.Height - shape.Height) / 2;
        int left = (Shape.Width - shape.Width) / 2;
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                var row = image.Slice(c * shape.PlaneSize + y * shape.Width, shape.Width);
                row.CopyTo(target[(c * Shape.PlaneSize + (top + y) * Shape.Width + left)..]);
            }
        }
    }
}
