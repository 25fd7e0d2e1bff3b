namespace CnnSpec.Data;

/// <summary>Some images of another source, in the order given.</summary>
public sealed class Subset(IImageSource source, int[] indices) : IImageSource
{
    public int Count => indices.Length;
    public ImageShape Shape => source.Shape;
    public IReadOnlyList<string> ClassNames => source.ClassNames;

    public int Label(int index) => source.Label(indices[index]);

    public void Read(int index, Span<byte> pixels) => source.Read(indices[index], pixels);
}
