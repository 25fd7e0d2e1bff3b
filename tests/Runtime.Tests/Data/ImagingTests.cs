using System.Security.Cryptography;
using CnnSpec.Data;
using NUnit.Framework;
using SkiaSharp;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class ImagingTests
{
    private const string Cmyk =
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK"
        + "CgYICwwLCgwJCgoK/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB"
        + "AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH"
        + "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV"
        + "1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD9/K/n/r+f+v38r//Z";

    private const string Progressive =
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK"
        + "CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
        + "CgoKCgoKCgr/wgARCAAIABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUAQEAAAAAAAAAAAAAAAAAAAAH/9oA"
        + "DAMBAAIQAxAAAAGLyEVGr//EABQQAQAAAAAAAAAAAAAAAAAAABD/2gAIAQEAAQUCP//EABgRAAIDAAAAAAAAAAAAAAAAAAAIRYPD"
        + "/9oACAEDAQE/AWGjLsj/xAAYEQACAwAAAAAAAAAAAAAAAAAACEWDw//aAAgBAgEBPwFZZWjY/8QAFBABAAAAAAAAAAAAAAAAAAAA"
        + "EP/aAAgBAQAGPwI//8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQABPyE//9oADAMBAAIAAwAAABAD/8QAFBEBAAAAAAAAAAAA"
        + "AAAAAAAAAP/aAAgBAwEBPxAf/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxAn/8QAFBABAAAAAAAAAAAAAAAAAAAAEP/a"
        + "AAgBAQABPxA//9k=";

    private const string Turned =
        "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAIBAQEBAQIBAQECAgIC"
        + "AgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoK"
        + "CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADASIAAhEBAxEB/8QAHwAAAQUBAQEB"
        + "AQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAk"
        + "M2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKj"
        + "pKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAA"
        + "AAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl"
        + "8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmq"
        + "srO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD4vr5Door+qP2Zf/NV/wDc"
        + "j/7uH9qftDP+aZ/7nf8A3UP/2Q==";

    private const string Animated =
        "R0lGODdhEAAIAIEAAP8AAAAA/wAAAAAAACwAAAAAEAAIAAAIJAABCBwoMIDBgwYJEkSIUOFAhgcdFoQYQCIAihUlYrS4USPFgAAs"
        + "AAAAABAACACHAAAAAQEBAgICAwMDBAQEBQUFBgYGBwcHCAgICQkJCgoKCwsLDAwMDQ0NDg4ODw8PEBAQEREREhISExMTFBQUFRUV"
        + "FhYWFxcXGBgYGRkZGhoaGxsbHBwcHR0dHh4eHx8fICAgISEhIiIiIyMjJCQkJSUlJiYmJycnKCgoKSkpKioqKysrLCwsLS0tLi4u"
        + "Ly8vMDAwMTExMjIyMzMzNDQ0NTU1NjY2Nzc3ODg4OTk5Ojo6Ozs7PDw8PT09Pj4+Pz8/QEBAQUFBQkJCQ0NDRERERUVFRkZGR0dH"
        + "SEhISUlJSkpKS0tLTExMTU1NTk5OT09PUFBQUVFRUlJSU1NTVFRUVVVVVlZWV1dXWFhYWVlZWlpaW1tbXFxcXV1dXl5eX19fYGBg"
        + "YWFhYmJiY2NjZGRkZWVlZmZmZ2dnaGhoaWlpampqa2trbGxsbW1tbm5ub29vcHBwcXFxcnJyc3NzdHR0dXV1dnZ2d3d3eHh4eXl5"
        + "enp6e3t7fHx8fX19fn5+f39/gICAgYGBgoKCg4ODhISEhYWFhoaGh4eHiIiIiYmJioqKi4uLjIyMjY2Njo6Oj4+PkJCQkZGRkpKS"
        + "k5OTlJSUlZWVlpaWl5eXmJiYmZmZmpqam5ubnJycnZ2dnp6en5+foKCgoaGhoqKio6OjpKSkpaWlpqamp6enqKioqampqqqqq6ur"
        + "rKysra2trq6ur6+vsLCwsbGxsrKys7OztLS0tbW1tra2t7e3uLi4ubm5urq6u7u7vLy8vb29vr6+v7+/wMDAwcHBwsLCw8PDxMTE"
        + "xcXFxsbGx8fHyMjIycnJysrKy8vLzMzMzc3Nzs7Oz8/P0NDQ0dHR0tLS09PT1NTU1dXV1tbW19fX2NjY2dnZ2tra29vb3Nzc3d3d"
        + "3t7e39/f4ODg4eHh4uLi4+Pj5OTk5eXl5ubm5+fn6Ojo6enp6urq6+vr7Ozs7e3t7u7u7+/v8PDw8fHx8vLy8/Pz9PT09fX19vb2"
        + "9/f3+Pj4+fn5+vr6+/v7/Pz8/f39/v7+////CBUAAQgcSLCgwYMIEypcyLChw4cIAwIAOw==";

    private const string Sixteen =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAAAAACB2fwVAAAADUlEQVR4nGNo+C/AAAAFIgGQ5LXUeQAAAABJRU5ErkJggg==";

    private const string GreyAlpha =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAQAAABeK7cBAAAADUlEQVR4nGPkamBgAAABsgCMNJIWyAAAAABJRU5ErkJggg==";

    /// <summary>The hashes are of Pillow's output for the same pixels.</summary>
    [TestCase(13, 17, 29, 11, "ca2cec11f630b25b")]
    [TestCase(28, 28, 96, 96, "801684905b4bb34f")]
    [TestCase(40, 30, 7, 9, "9008a72f20a7f103")]
    [TestCase(5, 64, 5, 20, "b8a625e5255cfdb7")]
    [TestCase(64, 5, 20, 5, "5e5814ca4962486e")]
    [TestCase(3, 1, 8, 8, "444b8324ff8dde5e")]
    [TestCase(100, 77, 33, 64, "66d1262fc31d2790")]
    public void Resizing_is_Pillows_to_the_bit(int height, int width, int toHeight, int toWidth, string hash)
    {
        var shape = new ImageShape(1, height, width);
        var target = new byte[toHeight * toWidth];
        new BilinearResizer().Resize(
            TestImages.Pattern(shape.Size),
            shape,
            Rectangle.Whole(shape),
            target,
            toHeight,
            toWidth
        );
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(target))[..16], Is.EqualTo(hash));
    }

    [Test]
    public void Resizing_a_region_is_resizing_a_cut_out_copy()
    {
        var shape = new ImageShape(2, 11, 17);
        byte[] pixels = TestImages.Random(shape.Size, 5);
        var region = new Rectangle(3, 4, 6, 9);
        var cut = new byte[2 * 6 * 9];
        for (int i = 0; i < cut.Length; i++)
            cut[i] = pixels[i / 54 * 187 + (3 + i % 54 / 9) * 17 + 4 + i % 9];
        var whole = new ImageShape(2, 6, 9);
        var expected = new byte[2 * 8 * 5];
        var actual = new byte[2 * 8 * 5];
        new BilinearResizer().Resize(cut, whole, Rectangle.Whole(whole), expected, 8, 5);
        new BilinearResizer().Resize(pixels, shape, region, actual, 8, 5);
        Assert.That(actual, Is.EqualTo(expected));
    }

    [Test]
    public void A_png_comes_back_as_it_was([Values(1, 3)] int channels)
    {
        var shape = new ImageShape(channels, 7, 12);
        byte[] pixels = TestImages.Random(shape.Size, 3);
        var image = ImageDecoder.Decode(ImageDecoder.EncodePng(new Raster(shape, pixels)), "test.png");
        Assert.That(image.Shape, Is.EqualTo(shape));
        Assert.That(image.Pixels, Is.EqualTo(pixels));
    }

    /// <summary>A 1×2 RGBA file: half transparent black, and wholly transparent red.</summary>
    [Test]
    public void Transparency_is_laid_over_white()
    {
        byte[] png = Convert.FromBase64String(
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGNgYGBo+M/AwAAABoUBgBmo0poAAAAASUVORK5CYII="
        );
        var image = ImageDecoder.Decode(png, "alpha.png");
        Assert.That(image.Shape, Is.EqualTo(new ImageShape(3, 1, 2)));
        Assert.That(image.Pixels, Is.EqualTo(new byte[] { 127, 255, 127, 255, 127, 255 }));
    }

    [Test]
    public void A_jpeg_is_near_what_was_encoded([Values(1, 3)] int channels)
    {
        var shape = new ImageShape(channels, 24, 40);
        var pixels = new byte[shape.Size];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i % 40 * 4 + i / shape.PlaneSize * 30);
        var image = ImageDecoder.Decode(Encoder.Encode(pixels, shape, SKEncodedImageFormat.Jpeg), "test.jpg");
        Assert.That(image.Shape, Is.EqualTo(shape));
        for (int i = 0; i < pixels.Length; i++)
            Assert.That(image.Pixels[i], Is.EqualTo(pixels[i]).Within(6));
    }

    [TestCase(SKEncodedImageFormat.Webp)]
    [TestCase(SKEncodedImageFormat.Png)]
    public void Other_formats_are_read_by_their_content(SKEncodedImageFormat format)
    {
        var shape = new ImageShape(3, 6, 11);
        byte[] pixels = [.. Enumerable.Repeat((byte)200, shape.PlaneSize), .. new byte[2 * shape.PlaneSize]];
        var image = ImageDecoder.Decode(Encoder.Encode(pixels, shape, format), "called.jpg");
        Assert.That(image.Shape, Is.EqualTo(shape));
        for (int i = 0; i < pixels.Length; i++)
            Assert.That(image.Pixels[i], Is.EqualTo(pixels[i]).Within(3));
    }

    /// <summary>Every scan of a progressive JPEG shows the whole image, so that a decoder makes do with the first of them.</summary>
    [Test]
    public void A_progressive_JPEG_that_was_cut_short_is_damaged()
    {
        byte[] whole = Convert.FromBase64String(Progressive);
        Assert.That(() => ImageDecoder.Decode(whole, "x"), Throws.Nothing);
        Assert.That(
            () => ImageDecoder.Decode([.. whole, 1, 2, 3], "x"),
            Throws.Nothing,
            "what follows is not looked at"
        );
        for (int length = 3; length < whole.Length; length += 7)
            Assert.That(
                () => ImageDecoder.Decode(whole[..length], "x"),
                Throws.TypeOf<InputError>().With.Message.Contains("damaged"),
                $"{length} of {whole.Length} bytes"
            );
    }

    /// <summary>Made by Pillow: what folders of photographs hold besides plain files.</summary>
    private static IEnumerable<TestCaseData> Rarities()
    {
        yield return Rarity("a CMYK JPEG", Cmyk, 3, 8, 8, (0, 0, [255, 0, 0]));
        yield return Rarity("a progressive JPEG", Progressive, 3, 8, 16, (4, 2, [255, 0, 0]), (4, 13, [0, 0, 255]));
        // Turned a quarter to the right: red is above, blue below.
        yield return Rarity("a JPEG on its side", Turned, 3, 16, 8, (2, 4, [255, 0, 0]), (13, 4, [0, 0, 255]));
        yield return Rarity("the first frame of a GIF", Animated, 3, 8, 16, (4, 2, [255, 0, 0]), (4, 13, [0, 0, 255]));
        yield return Rarity("a grey PNG of 16 bits", Sixteen, 1, 1, 2, (0, 0, [0x81]), (0, 1, [0x10]));
        yield return Rarity("a grey PNG half transparent", GreyAlpha, 1, 1, 2, (0, 1, [132]));
    }

    private static TestCaseData Rarity(
        string what,
        string base64,
        int channels,
        int height,
        int width,
        params (int Row, int Column, byte[] Value)[] places
    ) => new TestCaseData(base64, new ImageShape(channels, height, width), places).SetArgDisplayNames(what);

    [TestCaseSource(nameof(Rarities))]
    public void Photographs_of_every_kind_are_read(
        string base64,
        ImageShape shape,
        (int Row, int Column, byte[] Value)[] places
    )
    {
        var image = ImageDecoder.Decode(Convert.FromBase64String(base64), "rare");
        Assert.That(image.Shape, Is.EqualTo(shape));
        foreach (var (row, column, value) in places)
            for (int c = 0; c < shape.Channels; c++)
                Assert.That(
                    image.Pixels[c * shape.PlaneSize + row * shape.Width + column],
                    Is.EqualTo(value[c]).Within(3),
                    $"{row}, {column}, {c}"
                );
    }

    [TestCase("png")]
    [TestCase("jpg")]
    public void A_damaged_image_is_named(string kind)
    {
        var shape = new ImageShape(3, 40, 50);
        byte[] pixels = TestImages.Random(shape.Size, 3);
        byte[] data = kind == "png" ? TestImages.Png(shape) : Encoder.Encode(pixels, shape, SKEncodedImageFormat.Jpeg);
        var error = Assert.Throws<InputError>(() =>
            ImageDecoder.Decode(data.AsSpan(0, data.Length / 2), "cat." + kind)
        )!;
        Assert.That(error.Message, Does.StartWith("cat." + kind).And.Contain("damaged"));
        TestContext.Out.WriteLine(error.Message);
    }

    [TestCase("", "empty")]
    [TestCase("GIF89a", "damaged")]
    [TestCase("hello", "not a PNG, JPEG, WebP, BMP or GIF")]
    public void What_is_no_image_is_named(string content, string why)
    {
        var error = Assert.Throws<InputError>(() =>
            ImageDecoder.Decode(System.Text.Encoding.ASCII.GetBytes(content), "x.png")
        )!;
        Assert.That(error.Message, Does.StartWith("x.png").And.Contain(why));
    }

    [Test]
    public void Luma_is_Pillows_and_grey_repeats()
    {
        var colour = new Raster(new ImageShape(3, 1, 2), [255, 10, 0, 20, 0, 30]);
        Assert.That(colour.WithChannels(1).Pixels, Is.EqualTo(new byte[] { 76, 18 }));
        var grey = new Raster(new ImageShape(1, 1, 2), [5, 6]);
        Assert.That(grey.WithChannels(3).Pixels, Is.EqualTo(new byte[] { 5, 6, 5, 6, 5, 6 }));
        Assert.That(() => colour.WithChannels(4), Throws.TypeOf<InputError>());
    }
}

/// <summary>Skia's encoders, which only tests need.</summary>
internal static class Encoder
{
    /// <summary>Pixels <c>[C, H, W]</c> in a format of Skia's.</summary>
    public static unsafe byte[] Encode(byte[] pixels, ImageShape shape, SKEncodedImageFormat format)
    {
        int samples = shape.Channels == 1 ? 1 : 4;
        var interleaved = new byte[shape.PlaneSize * samples];
        for (int c = 0; c < shape.Channels; c++)
        for (int i = 0; i < shape.PlaneSize; i++)
            interleaved[i * samples + c] = pixels[c * shape.PlaneSize + i];
        var info = new SKImageInfo(
            shape.Width,
            shape.Height,
            shape.Channels == 1 ? SKColorType.Gray8 : SKColorType.Rgb888x,
            SKAlphaType.Opaque
        );
        fixed (byte* memory = interleaved)
        {
            using var map = new SKPixmap(info, (nint)memory, info.RowBytes);
            using var encoded =
                format == SKEncodedImageFormat.Jpeg
                    ? map.Encode(
                        new SKJpegEncoderOptions(
                            98,
                            SKJpegEncoderDownsample.Downsample444,
                            SKJpegEncoderAlphaOption.Ignore
                        )
                    )
                    : map.Encode(format, 100);
            return encoded!.ToArray();
        }
    }
}
