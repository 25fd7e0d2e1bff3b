using System.Buffers;
using SkiaSharp;

namespace CnnSpec.Data;

/// <summary>
/// Reads image files through Skia, told apart by their first bytes and not by their names: PNG, JPEG (progressive, CMYK and
/// YCCK too), WebP, BMP and the first frame of a GIF. Every kind is read as 8 bits a channel, the right way up by its EXIF
/// orientation; transparency is laid over white; colour profiles are not applied.
/// </summary>
public static class ImageDecoder
{
    /// <summary>
    /// No image that a network takes comes near it; a header that claims more is a mistake or an attack.
    /// </summary>
    private const long MaxPixels = 128L << 20;

    private const string Kinds = "PNG, JPEG, WebP, BMP or GIF";

    /// <summary>The file name endings of images, in lower case.</summary>
    public static readonly IReadOnlyList<string> Extensions = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"];

    /// <summary>Whether a file is called as images are.</summary>
    public static bool IsNamedAsImage(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <exception cref="InputError">The file is missing, damaged or no image.</exception>
    /// <exception cref="EnvironmentError">The file cannot be read.</exception>
    public static Raster Read(string path)
    {
        try
        {
            AtomicFile.RequireFile(path);
            return Decode(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(path, e);
        }
    }

    /// <summary>Why an image file cannot be read, as far as its header tells; null where it tells nothing.</summary>
    /// <exception cref="EnvironmentError">The file cannot be read.</exception>
    internal static InputError? HeaderFault(string path)
    {
        try
        {
            AtomicFile.RequireFile(path);
            SkiaLibrary.Load();
            using var file = File.OpenRead(path);
            using var codec = SKCodec.Create(file);
            if (codec is null || KindOf(codec) is null)
            {
                if (file.Length == 0)
                    return Empty(path);
                var start = new byte[16];
                file.Position = 0;
                return Unreadable(start.AsSpan(0, file.Read(start)), path);
            }
            CheckedShape(path, 1, codec.Info.Height, codec.Info.Width);
            return null;
        }
        catch (InputError error)
        {
            return error;
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(path, e);
        }
    }

    /// <summary>Decodes to grey or RGB, whichever the file holds.</summary>
    /// <param name="name">What messages call the image.</param>
    /// <inheritdoc cref="Read"/>
    public static unsafe Raster Decode(ReadOnlySpan<byte> data, string name)
    {
        if (data.IsEmpty)
            throw Empty(name);
        SkiaLibrary.Load();
        fixed (byte* bytes = data)
        {
            using var memory = SKData.Create((nint)bytes, data.Length);
            using var codec = SKCodec.Create(memory);
            if (codec is null || KindOf(codec) is not { } kind)
                throw Unreadable(data, name);
            var size = codec.Info;
            bool isGrey = IsGrey(codec, data);
            bool isOpaque = size.AlphaType == SKAlphaType.Opaque;
            var shape = CheckedShape(name, isGrey ? 1 : 3, size.Height, size.Width);
            var pixels = GC.AllocateUninitializedArray<byte>(shape.Size);
            if (size.ColorType == SKColorType.Gray8)
                ReadPixels(codec, SKColorType.Gray8, SKAlphaType.Opaque, pixels, data, name, kind);
            else
                ReadColours(codec, isOpaque, shape, pixels, data, name, kind);
            return Orientation.Upright(new Raster(shape, pixels), codec.EncodedOrigin);
        }
    }

    /// <summary>Encodes grey or RGB pixels, <c>[C, H, W]</c>, as PNG.</summary>
    public static byte[] EncodePng(Raster image) => EncodePng(image.Pixels, image.Shape);

    /// <inheritdoc cref="EncodePng(Raster)"/>
    public static unsafe byte[] EncodePng(ReadOnlySpan<byte> pixels, ImageShape shape)
    {
        if (shape.Channels is not (1 or 3))
            throw new InputError($"a PNG cannot hold {shape.Channels} channels", "use 1 or 3 channels");
        SkiaLibrary.Load();
        bool isGrey = shape.Channels == 1;
        int samples = isGrey ? 1 : 4;
        var interleaved = new byte[shape.PlaneSize * samples];
        for (int c = 0; c < shape.Channels; c++)
        for (int i = 0; i < shape.PlaneSize; i++)
            interleaved[i * samples + c] = pixels[c * shape.PlaneSize + i];
        var info = new SKImageInfo(
            shape.Width,
            shape.Height,
            isGrey ? SKColorType.Gray8 : SKColorType.Rgb888x,
            SKAlphaType.Opaque
        );
        fixed (byte* memory = interleaved)
        {
            using var map = new SKPixmap(info, (nint)memory, info.RowBytes);
            using var encoded = map.Encode(SKEncodedImageFormat.Png, 100);
            return encoded!.ToArray();
        }
    }

    internal static ImageShape CheckedShape(string name, int channels, int height, int width)
    {
        if (height <= 0 || width <= 0 || (long)height * width > MaxPixels)
            throw new InputError(
                $"{name}: {(uint)height}×{(uint)width} pixels are more than the {MaxPixels:N0} that are read",
                "make it smaller"
            );
        return new ImageShape(channels, height, width);
    }

    private static string? KindOf(SKCodec codec) =>
        codec.EncodedFormat switch
        {
            SKEncodedImageFormat.Png => "PNG",
            SKEncodedImageFormat.Jpeg => "JPEG",
            SKEncodedImageFormat.Webp => "WebP",
            SKEncodedImageFormat.Bmp => "BMP",
            SKEncodedImageFormat.Gif => "GIF",
            _ => null,
        };

    /// <summary>Skia calls grey only what is so without transparency and with 8 bits at most; a PNG's header tells of the others.</summary>
    private static bool IsGrey(SKCodec codec, ReadOnlySpan<byte> data)
    {
        const int colourType = 25;
        const byte grey = 0;
        const byte greyWithAlpha = 4;
        return codec.Info.ColorType == SKColorType.Gray8
            || codec.EncodedFormat == SKEncodedImageFormat.Png
                && data.Length > colourType
                && data[colourType] is grey or greyWithAlpha;
    }

    /// <summary>Planes of colour or grey, by way of four bytes a pixel, which is what Skia writes.</summary>
    private static void ReadColours(
        SKCodec codec,
        bool isOpaque,
        ImageShape shape,
        Span<byte> planes,
        ReadOnlySpan<byte> data,
        string name,
        string kind
    )
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(4 * shape.PlaneSize));
        try
        {
            var rgba = rented.AsSpan(0, 4 * shape.PlaneSize);
            var alpha = isOpaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul;
            ReadPixels(codec, SKColorType.Rgba8888, alpha, rgba, data, name, kind);
            if (!isOpaque)
                LayOverWhite(rgba);
            Planes.Split(rgba, planes, shape.PlaneSize);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static unsafe void ReadPixels(
        SKCodec codec,
        SKColorType type,
        SKAlphaType alpha,
        Span<byte> pixels,
        ReadOnlySpan<byte> data,
        string name,
        string kind
    )
    {
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, type, alpha);
        SKCodecResult result;
        fixed (byte* target = pixels)
            result = codec.GetPixels(info, (nint)target);
        // Half an image is not an image.
        if (result == SKCodecResult.Success && kind == "JPEG" && JpegEnd.IsMissing(data))
            result = SKCodecResult.IncompleteInput;
        if (result != SKCodecResult.Success)
            throw new InputError(
                $"{name}: the {kind} is damaged: {(result == SKCodecResult.IncompleteInput ? "it ends early" : "its data make no image")}",
                "replace or delete the file"
            );
    }

    private static void LayOverWhite(Span<byte> rgba)
    {
        for (int i = 0; i < rgba.Length; i += 4)
        for (int c = 0; c < 3; c++)
            rgba[i + c] = OverWhite(rgba[i + c], rgba[i + 3]);
    }

    private static byte OverWhite(int value, int alpha) => (byte)((value * alpha + 255 * (255 - alpha) + 127) / 255);

    private static InputError Empty(string name) => new($"{name}: the file is empty", "replace or delete the file");

    private static InputError Unreadable(ReadOnlySpan<byte> data, string name)
    {
        string? kind =
            data.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) ? "PNG"
            : data.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) ? "JPEG"
            : data.StartsWith("GIF8"u8) ? "GIF"
            : null;
        return new InputError(
            kind is null ? $"{name}: not a {Kinds}" : $"{name}: the {kind} is damaged: its header cannot be read",
            "replace or delete the file"
        );
    }
}
