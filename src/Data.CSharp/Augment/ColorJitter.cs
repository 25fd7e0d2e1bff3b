namespace CnnSpec.Data;

/// <summary>
/// Brightness, contrast, saturation and hue changed at random, in random order, as torchvision's <c>ColorJitter</c> on
/// PIL images.
/// </summary>
/// <param name="brightness">The factor is uniform in <c>[max(0, 1 − b), 1 + b]</c>; so are those of contrast and
/// saturation.</param>
/// <param name="hue">The turn is uniform in <c>[−hue, hue]</c> of the colour circle, hue at most ½.</param>
public sealed class ColorJitter(double brightness = 0, double contrast = 0, double saturation = 0, double hue = 0)
    : ISampleTransform
{
    private readonly Interval _brightness = Factor(brightness, "brightness");
    private readonly Interval _contrast = Factor(contrast, "contrast");
    private readonly Interval _saturation = Factor(saturation, "saturation");
    private readonly Interval _hue = new Interval(-hue, hue).Within(-0.5, 0.5, "hue");

    public ImageShape Output(ImageShape input) => input;

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        Span<int> order = [0, 1, 2, 3];
        random.Shuffle(order);
        foreach (int which in order)
        {
            switch (which)
            {
                case 0 when brightness > 0:
                    ColourOperations.Brightness(canvas, (float)_brightness.Draw(ref random));
                    break;
                case 1 when contrast > 0:
                    ColourOperations.Contrast(canvas, (float)_contrast.Draw(ref random));
                    break;
                case 2 when saturation > 0:
                    ColourOperations.Saturation(canvas, (float)_saturation.Draw(ref random));
                    break;
                case 3 when hue > 0:
                    HueShift.Apply(canvas, _hue.Draw(ref random));
                    break;
            }
        }
    }

    private static Interval Factor(double strength, string argument) =>
        strength >= 0
            ? new Interval(Math.Max(0, 1 - strength), 1 + strength)
            : throw new InputError($"{argument} = {strength} is negative", "use 0 or more");
}
