namespace CnnSpec.Data;

/// <summary>Labelled images that all have one shape, readable in any order.</summary>
/// <remarks>Reads may come from several threads at once; an implementation must allow that.</remarks>
public interface IImageSource
{
    /// <summary>How many images there are.</summary>
    int Count { get; }

    /// <summary>The shape of every image.</summary>
    ImageShape Shape { get; }

    /// <summary>The name of each class, by label.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>The label of an image, in <c>[0, ClassNames.Count)</c>.</summary>
    int Label(int index);

    /// <summary>Writes one image as uint8, channel-major (<c>[C, H, W]</c>).</summary>
    /// <param name="index">Which image, in <c>[0, Count)</c>.</param>
    /// <param name="pixels">Exactly <c>Shape.Size</c> bytes.</param>
    /// <exception cref="InputError">The image cannot be read; the message names its file.</exception>
    void Read(int index, Span<byte> pixels);
}
