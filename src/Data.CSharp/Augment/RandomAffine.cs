namespace CnnSpec.Data;

/// <summary>
/// Turns the image about its middle by up to <paramref name="degrees"/> either way; corners that come in are black.
/// </summary>
public sealed class RandomRotation(double degrees, Interpolation interpolation = Interpolation.Nearest)
    : ISampleTransform
{
    private readonly Interval _angle = new Interval(-degrees, degrees).Within(-360, 360, "degrees");

    public ImageShape Output(ImageShape input) => input;

    public void Apply(Canvas canvas, ref RandomStream random) =>
        AffineMap.About(canvas.Shape, -_angle.Draw(ref random), 0, 0, 1, 0, 0).Apply(canvas, interpolation);
}

/// <summary>
/// Turns, moves, scales and shears at random, as torchvision's <c>RandomAffine</c>; what comes in is black.
/// </summary>
/// <param name="degrees">The angle is uniform in <c>[−degrees, degrees]</c>.</param>
/// <param name="translate">The largest move, as a part of the width and of the height; whole pixels.</param>
/// <param name="scale">The scale factor; 1 when null.</param>
/// <param name="shear">The shear along the width is uniform in <c>[−shear, shear]</c> degrees.</param>
public sealed class RandomAffine(
    double degrees,
    double translate = 0,
    Interval? scale = null,
    double shear = 0,
    Interpolation interpolation = Interpolation.Nearest
) : ISampleTransform
{
    private readonly Interval _angle = new Interval(-degrees, degrees).Within(-360, 360, "degrees");
    private readonly Interval _move = new Interval(-translate, translate).Within(-1, 1, "translate");
    private readonly Interval _scale = (scale ?? new Interval(1, 1)).Within(1e-3, 1e3, "scale");
    private readonly Interval _shear = new Interval(-shear, shear).Within(-89, 89, "shear");

    public ImageShape Output(ImageShape input) => input;

    public void Apply(Canvas canvas, ref RandomStream random)
    {
        var shape = canvas.Shape;
        double angle = _angle.Draw(ref random);
        double moveX = Math.Round(_move.Draw(ref random) * shape.Width);
        double moveY = Math.Round(_move.Draw(ref random) * shape.Height);
        double factor = _scale.Draw(ref random);
        AffineMap.About(shape, angle, moveX, moveY, factor, _shear.Draw(ref random), 0).Apply(canvas, interpolation);
    }
}
