namespace CnnSpec.Runtime.Data;

/// <summary>Reads image files, told apart by their first bytes and not by their names.</summary>
public static class ImageDecoder
{
    /// <summary>
    /// No image that a network takes comes near it; a header that claims more is a mistake or an attack.
    /// </summary>
    private const long MaxPixels = 128L << 20;

    /// <summary>The file name endings of images, in lower case.</summary>
    public static readonly IReadOnlyList<string> Extensions = [".png", ".jpg", ".jpeg"];

    /// <exception cref="InputError">The file is missing, damaged or not a PNG or JPEG.</exception>
    /// <exception cref="EnvironmentError">The file cannot be read, or a system library is missing.</exception>
    public static Raster Read(string path)
    {
        byte[] data;
        try
        {
            data = File.ReadAllBytes(path);
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(path, e);
        }
        return Decode(data, path);
    }

    /// <param name="name">What messages call the image.</param>
    /// <inheritdoc cref="Read"/>
    public static Raster Decode(ReadOnlySpan<byte> data, string name)
    {
        if (data.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]))
            return LibPng.Decode(data, name);
        if (data.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]))
            return TurboJpeg.Decode(data, name);
        throw new InputError(
            data.Length == 0 ? $"{name}: the file is empty" : $"{name}: neither a PNG nor a JPEG",
            "replace or delete the file"
        );
    }

    /// <summary>Encodes grey or RGB pixels as PNG.</summary>
    public static byte[] EncodePng(Raster image) => LibPng.Encode(image.Pixels, image.Shape);

    internal static ImageShape CheckedShape(string name, int channels, int height, int width)
    {
        if (height <= 0 || width <= 0 || (long)height * width > MaxPixels)
            throw new InputError(
                $"{name}: {(uint)height}×{(uint)width} pixels are more than the {MaxPixels:N0} that are read",
                "make it smaller"
            );
        return new ImageShape(channels, height, width);
    }
}
