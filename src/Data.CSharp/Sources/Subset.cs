namespace CnnSpec.Data;

/// <summary>Some images of another source, in the order given.</summary>
public sealed class Subset(IImageSource source, int[] indices) : IImageSource
{
    public int Count => indices.Length;
    public ImageShape Shape => source.Shape;
    public IReadOnlyList<string> ClassNames => source.ClassNames;

    /// <summary>
    /// The first <paramref name="limit"/> images, or the source itself when it has no more than that.
    /// </summary>
    public static IImageSource First(IImageSource source, int limit) =>
        limit >= source.Count ? source : new Subset(source, Enumerable.Range(0, limit).ToArray());

    public int Label(int index) => source.Label(indices[index]);

    public void Read(int index, Span<byte> pixels) => source.Read(indices[index], pixels);
}
