namespace CnnSpec.Data;

/// <summary>
/// The image that a worker is changing, and a second buffer to draw the next version in. Buffers grow once and are
/// kept.
/// </summary>
public sealed class Canvas
{
    private byte[] _front = [];
    private byte[] _back = [];

    /// <summary>Resizes planes with buffers of its own.</summary>
    public BilinearResizer Resizer { get; } = new();

    /// <summary>The shape of <see cref="Pixels"/>.</summary>
    public ImageShape Shape { get; private set; }

    /// <summary>The image as uint8 <c>[C, H, W]</c>; change it freely.</summary>
    public Span<byte> Pixels => _front.AsSpan(0, Shape.Size);

    /// <summary>Starts a new image of the given shape; what the pixels hold is left over from the last one.</summary>
    public Span<byte> Begin(ImageShape shape)
    {
        Shape = shape;
        return Room(ref _front, shape);
    }

    /// <summary>
    /// An empty buffer for the next version of the image. It becomes the image at <see cref="Replace"/>.
    /// </summary>
    public Span<byte> Next(ImageShape shape) => Room(ref _back, shape);

    /// <summary>Makes what was drawn in <see cref="Next"/> the image.</summary>
    public void Replace(ImageShape shape)
    {
        (_front, _back) = (_back, _front);
        Shape = shape;
    }

    private static Span<byte> Room(ref byte[] buffer, ImageShape shape)
    {
        if (buffer.Length < shape.Size)
            buffer = GC.AllocateUninitializedArray<byte>(shape.Size);
        return buffer.AsSpan(0, shape.Size);
    }
}
