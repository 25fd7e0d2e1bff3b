using CnnSpec.Data;

namespace CnnSpec.Runtime.Tests.Data;

/// <summary>Images that tests make up.</summary>
internal static class TestImages
{
    /// <summary>Bytes that look random and follow a rule that other programs can repeat.</summary>
    public static byte[] Pattern(int count)
    {
        var bytes = new byte[count];
        for (long i = 0; i < count; i++)
            bytes[i] = (byte)((i * 37 + i * i % 251) % 256);
        return bytes;
    }

    public static byte[] Random(int count, ulong seed)
    {
        var random = new RandomStream(seed);
        var bytes = new byte[count];
        for (int i = 0; i < count; i++)
            bytes[i] = (byte)random.NextInt(256);
        return bytes;
    }

    /// <summary>Random images in <paramref name="classes"/> classes.</summary>
    public static MemoryImages Source(int count, ImageShape shape, ulong seed = 1, int classes = 3)
    {
        var labels = Enumerable.Range(0, count).Select(i => i % classes).ToArray();
        var names = Enumerable.Range(0, classes).Select(c => $"class {c}").ToArray();
        return new MemoryImages(Random(count * shape.Size, seed), labels, shape, names);
    }

    public static byte[] Read(IImageSource source, int index)
    {
        var pixels = new byte[source.Shape.Size];
        source.Read(index, pixels);
        return pixels;
    }

    public static byte[] Png(ImageShape shape, ulong seed = 1) =>
        ImageDecoder.EncodePng(new Raster(shape, Random(shape.Size, seed)));
}
