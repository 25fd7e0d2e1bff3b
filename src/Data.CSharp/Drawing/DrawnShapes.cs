namespace CnnSpec.Data;

/// <summary>
/// Ten kinds of figure, one in each image, at a random place, size and turn, lighter or darker than a shaded, noisy
/// background.
/// Classes are balanced: image <c>i</c> is of class <c>i mod 10</c>. An image depends on (seed, split, index) and its
/// shape alone,
/// and is the same on every platform. Drawing is antialiased.
/// </summary>
public sealed class DrawnShapes : IImageSource
{
    private const int SmallestSide = 8;
    private readonly ulong _seed;
    private readonly ulong _split;

    /// <param name="split">Tells training and test images apart: 0 and 1.</param>
    /// <exception cref="InputError">The shape is too small to draw in.</exception>
    public DrawnShapes(int count, ImageShape shape, ulong seed, ulong split)
    {
        if (shape.Channels < 1 || shape.Height < SmallestSide || shape.Width < SmallestSide)
            throw new InputError(
                $"shapes cannot be drawn in {shape}",
                $"use at least 1 channel and {SmallestSide}×{SmallestSide} pixels"
            );
        (Count, Shape, _seed, _split) = (count, shape, seed, split);
    }

    public int Count { get; }
    public ImageShape Shape { get; }

    public IReadOnlyList<string> ClassNames { get; } =
    ["circle", "square", "triangle", "cross", "ring", "star", "diamond", "bars", "moon", "arrow"];

    public int Label(int index) => index % ClassNames.Count;

    public void Read(int index, Span<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
        var random = RandomStream.For(_seed, _split, (ulong)index);
        var pose = Pose.Draw(Shape, ref random);
        var plane = Coverage(pixels, pose, Label(index));
        for (int c = Shape.Channels - 1; c >= 0; c--)
            // Channel 0 last: its plane holds the coverage that the others are painted from.
            Paint(plane, pixels.Slice(c * Shape.PlaneSize, Shape.PlaneSize), Shape, ref random);
    }

    private Span<byte> Coverage(Span<byte> pixels, Pose pose, int label)
    {
        var plane = pixels[..Shape.PlaneSize];
        switch (label)
        {
            case 0:
                Fill<Circle>(plane, pose);
                break;
            case 1:
                Fill<Square>(plane, pose);
                break;
            case 2:
                Fill<Triangle>(plane, pose);
                break;
            case 3:
                Fill<Cross>(plane, pose);
                break;
            case 4:
                Fill<Ring>(plane, pose);
                break;
            case 5:
                Fill<Star>(plane, pose);
                break;
            case 6:
                Fill<Diamond>(plane, pose);
                break;
            case 7:
                Fill<Bars>(plane, pose);
                break;
            case 8:
                Fill<Moon>(plane, pose);
                break;
            default:
                Fill<Arrow>(plane, pose);
                break;
        }
        return plane;
    }

    /// <summary>
    /// How much of each pixel the figure covers, 0 to 255: half a pixel either side of the outline is blended.
    /// </summary>
    private void Fill<TField>(Span<byte> plane, Pose pose)
        where TField : struct, IShapeField
    {
        for (int y = 0; y < Shape.Height; y++)
        {
            var row = plane.Slice(y * Shape.Width, Shape.Width);
            float dy = y + 0.5f - pose.CentreY;
            for (int x = 0; x < row.Length; x++)
            {
                float dx = x + 0.5f - pose.CentreX;
                float u = (dx * pose.Cos + dy * pose.Sin) * pose.PerPixel;
                float v = (dy * pose.Cos - dx * pose.Sin) * pose.PerPixel;
                float covered = 0.5f - TField.Distance(u, v) * pose.Radius;
                row[x] = (byte)(Math.Clamp(covered, 0f, 1f) * 255f + 0.5f);
            }
        }
    }

    /// <summary>
    /// Turns coverage into levels of one channel: background with a slope, figure at least 0.3 away from it, noise on
    /// both.
    /// </summary>
    private static void Paint(ReadOnlySpan<byte> coverage, Span<byte> target, ImageShape shape, ref RandomStream random)
    {
        float background = random.NextFloat(0.1f, 0.9f);
        float contrast = random.NextFloat(0.3f, 0.6f);
        bool lighter = background + contrast <= 1 && (background - contrast < 0 || random.NextBool(0.5));
        float step = (lighter ? contrast : -contrast) / 255f;
        float slopeX = random.NextFloat(-0.2f, 0.2f) / shape.Width;
        float slopeY = random.NextFloat(-0.2f, 0.2f) / shape.Height;
        float noise = random.NextFloat(0.01f, 0.06f);
        // Four 16-bit uniforms summed are near enough to a Gaussian; this scales the sum to a deviation of 1.
        float perUnit = noise * 1.7320508f / 65536f;
        for (int y = 0, i = 0; y < shape.Height; y++)
        {
            float level = background + (y - shape.Height * 0.5f) * slopeY - shape.Width * 0.5f * slopeX;
            for (int x = 0; x < shape.Width; x++, i++)
            {
                ulong bits = random.NextUInt64();
                int sum =
                    (int)(bits & 0xffff) + (int)(bits >> 16 & 0xffff) + (int)(bits >> 32 & 0xffff) + (int)(bits >> 48);
                float value = level + x * slopeX + coverage[i] * step + (sum - 131070) * perUnit;
                target[i] = (byte)(Math.Clamp(value, 0f, 1f) * 255f + 0.5f);
            }
        }
    }

    /// <summary>Where the figure is: its centre and radius in pixels, and its turn.</summary>
    private readonly record struct Pose(float CentreX, float CentreY, float Radius, float Cos, float Sin)
    {
        public float PerPixel => 1 / Radius;

        public static Pose Draw(ImageShape shape, ref RandomStream random)
        {
            float radius = Math.Min(shape.Height, shape.Width) * random.NextFloat(0.26f, 0.44f);
            float x = random.NextFloat(radius, shape.Width - radius);
            float y = random.NextFloat(radius, shape.Height - radius);
            // The rational point of the circle for t is a turn by 2·atan(t), at most 45° either way, without a sine;
            // the four cases below give the rest.
            float t = random.NextFloat(-0.41421356f, 0.41421356f);
            float cos = (1 - t * t) / (1 + t * t);
            float sin = 2 * t / (1 + t * t);
            return random.NextInt(4) switch
            {
                0 => new Pose(x, y, radius, cos, sin),
                1 => new Pose(x, y, radius, -sin, cos),
                2 => new Pose(x, y, radius, -cos, -sin),
                _ => new Pose(x, y, radius, sin, -cos),
            };
        }
    }
}
