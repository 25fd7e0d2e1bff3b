namespace CnnSpec.Data;

/// <summary>
/// A few operations drawn from fourteen, all at one strength (Cubuk et al. 2019, arXiv:1909.13719), with the list and
/// the magnitudes
/// of torchvision's <c>RandAugment</c>: nearest-pixel geometry, black where nothing comes in.
/// </summary>
/// <param name="operations">How many are applied, one after the other.</param>
/// <param name="magnitude">The strength, in <c>[0, bins)</c>.</param>
/// <param name="bins">How many strengths there are.</param>
public sealed class RandAugment(int operations = 2, int magnitude = 9, int bins = 31) : ISampleTransform
{
    private enum Operation
    {
        Identity,
        ShearX,
        ShearY,
        TranslateX,
        TranslateY,
        Rotate,
        Brightness,
        Color,
        Contrast,
        Sharpness,
        Posterize,
        Solarize,
        AutoContrast,
        Equalize,
    }

    private const int OperationCount = 14;

    public ImageShape Output(ImageShape input)
    {
        if (operations < 0 || bins < 2 || magnitude < 0 || magnitude >= bins)
            throw new InputError(
                $"RandAugment with {operations} operations at magnitude {magnitude} of {bins} has no meaning",
                "use a magnitude from 0 to the number of bins less one"
            );
        return input;
    }

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        for (int i = 0; i < operations; i++)
        {
            var operation = (Operation)random.NextInt(OperationCount);
            double sign = random.NextBool(0.5) ? -1 : 1;
            Apply(canvas, operation, (double)magnitude / (bins - 1), sign);
        }
    }

    /// <param name="strength">In [0, 1].</param>
    private void Apply(Canvas canvas, Operation operation, double strength, double sign)
    {
        var shape = canvas.Shape;
        double shear = sign * strength * 0.3;
        double move = sign * strength * 150.0 / 331.0;
        float factor = (float)(1 + sign * strength * 0.9);
        switch (operation)
        {
            case Operation.ShearX:
                new AffineMap(1, shear, 0, 0, 1, 0).Apply(canvas, Interpolation.Nearest);
                break;
            case Operation.ShearY:
                new AffineMap(1, 0, 0, shear, 1, 0).Apply(canvas, Interpolation.Nearest);
                break;
            case Operation.TranslateX:
                new AffineMap(1, 0, -(int)(move * shape.Width), 0, 1, 0).Apply(canvas, Interpolation.Nearest);
                break;
            case Operation.TranslateY:
                new AffineMap(1, 0, 0, 0, 1, -(int)(move * shape.Height)).Apply(canvas, Interpolation.Nearest);
                break;
            case Operation.Rotate:
                AffineMap.About(shape, -sign * strength * 30, 0, 0, 1, 0, 0).Apply(canvas, Interpolation.Nearest);
                break;
            case Operation.Brightness:
                ColourOperations.Brightness(canvas, factor);
                break;
            case Operation.Color:
                ColourOperations.Saturation(canvas, factor);
                break;
            case Operation.Contrast:
                ColourOperations.Contrast(canvas, factor);
                break;
            case Operation.Sharpness:
                ColourOperations.Sharpness(canvas, factor);
                break;
            case Operation.Posterize:
                ColourOperations.Posterize(canvas, 8 - (int)Math.Round(strength * 4));
                break;
            case Operation.Solarize:
                ColourOperations.Solarize(canvas, 255 - strength * 255);
                break;
            case Operation.AutoContrast:
                ColourOperations.AutoContrast(canvas);
                break;
            case Operation.Equalize:
                ColourOperations.Equalize(canvas);
                break;
        }
    }
}
