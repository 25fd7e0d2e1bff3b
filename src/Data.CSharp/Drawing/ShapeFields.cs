namespace CnnSpec.Data;

/// <summary>
/// A figure of about unit radius, as a function that is negative inside, zero on the outline and grows as distance does
/// near it.
/// Only additions, products and square roots are used: IEEE 754 gives those one result on every platform.
/// </summary>
internal interface IShapeField
{
    static abstract float Distance(float x, float y);
}

internal readonly struct Circle : IShapeField
{
    public static float Distance(float x, float y) => MathF.Sqrt(x * x + y * y) - 0.9f;
}

internal readonly struct Square : IShapeField
{
    public static float Distance(float x, float y) => MathF.Max(MathF.Abs(x), MathF.Abs(y)) - 0.75f;
}

internal readonly struct Triangle : IShapeField
{
    public static float Distance(float x, float y) => MathF.Max(-y, 0.8660254f * MathF.Abs(x) + 0.5f * y) - 0.5f;
}

internal readonly struct Cross : IShapeField
{
    public static float Distance(float x, float y)
    {
        (x, y) = (MathF.Abs(x), MathF.Abs(y));
        return MathF.Min(MathF.Max(x - 0.95f, y - 0.28f), MathF.Max(x - 0.28f, y - 0.95f));
    }
}

internal readonly struct Ring : IShapeField
{
    public static float Distance(float x, float y) => MathF.Abs(MathF.Sqrt(x * x + y * y) - 0.74f) - 0.2f;
}

/// <summary>
/// Five points: two reflections fold the plane onto one tenth of the star, where a single edge is left.
/// </summary>
internal readonly struct Star : IShapeField
{
    private const float Cos36 = 0.80901699f;
    private const float Sin36 = 0.58778525f;

    public static float Distance(float x, float y)
    {
        x = MathF.Abs(x);
        float overRight = 2 * MathF.Max(Cos36 * x - Sin36 * y, 0);
        x -= overRight * Cos36;
        y += overRight * Sin36;
        float overLeft = 2 * MathF.Max(-Cos36 * x - Sin36 * y, 0);
        x += overLeft * Cos36;
        y += overLeft * Sin36;
        // The edge from the tip (0, 1) to the notch at radius 0.42, 36° off.
        return 0.936660f * MathF.Abs(x) + 0.350240f * (y - 1);
    }
}

/// <summary>A rhombus twice as long as wide, so that it is not a turned square.</summary>
internal readonly struct Diamond : IShapeField
{
    public static float Distance(float x, float y) => (2 * MathF.Abs(x) + MathF.Abs(y) - 1) * 0.4472136f;
}

internal readonly struct Bars : IShapeField
{
    public static float Distance(float x, float y)
    {
        float toNearest = MathF.Min(MathF.Abs(y), MathF.Abs(MathF.Abs(y) - 0.66f));
        return MathF.Max(MathF.Abs(x) - 0.85f, toNearest - 0.17f);
    }
}

internal readonly struct Moon : IShapeField
{
    public static float Distance(float x, float y)
    {
        float bite = x - 0.45f;
        return MathF.Max(MathF.Sqrt(x * x + y * y) - 0.95f, 0.75f - MathF.Sqrt(bite * bite + y * y));
    }
}

internal readonly struct Arrow : IShapeField
{
    public static float Distance(float x, float y)
    {
        x = MathF.Abs(x);
        float shaft = MathF.Max(x - 0.17f, MathF.Abs(y + 0.35f) - 0.6f);
        float head = MathF.Max(0.8235f * x + 0.5673f * (y - 1), 0.1f - y);
        return MathF.Min(shaft, head);
    }
}
