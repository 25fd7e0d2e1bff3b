using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CnnSpec.Runtime.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class ImagingTests
{
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
        var image = ImageDecoder.Decode(JpegEncoder.Encode(pixels, shape), "test.jpg");
        Assert.That(image.Shape, Is.EqualTo(shape));
        for (int i = 0; i < pixels.Length; i++)
            Assert.That(image.Pixels[i], Is.EqualTo(pixels[i]).Within(6));
    }

    [TestCase("png")]
    [TestCase("jpg")]
    public void A_damaged_image_is_named(string kind)
    {
        var shape = new ImageShape(3, 40, 50);
        byte[] pixels = TestImages.Random(shape.Size, 3);
        byte[] data = kind == "png" ? TestImages.Png(shape) : JpegEncoder.Encode(pixels, shape);
        var error = Assert.Throws<InputError>(() =>
            ImageDecoder.Decode(data.AsSpan(0, data.Length / 2), "cat." + kind)
        )!;
        Assert.That(error.Message, Does.StartWith("cat." + kind).And.Contain("damaged"));
        TestContext.Out.WriteLine(error.Message);
    }

    [TestCase("", "empty")]
    [TestCase("GIF89a", "neither a PNG nor a JPEG")]
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

    [Test]
    public void A_missing_library_says_what_to_install()
    {
        var error = Assert.Throws<EnvironmentError>(() =>
            NativeLibraries.Function(NativeLibraries.TurboJpeg, "tjNothing")
        )!;
        Assert.That(error.Help, Is.EqualTo("install libturbojpeg0"));
    }
}

/// <summary>libjpeg-turbo's encoder, which only tests need.</summary>
internal static class JpegEncoder
{
    private const int Rgb = 0;
    private const int Grey = 6;
    private const int Every = 0;
    private const int GreyOnly = 3;

    public static byte[] Encode(byte[] pixels, ImageShape shape)
    {
        var interleaved = new byte[shape.Size];
        for (int i = 0; i < interleaved.Length; i++)
            interleaved[i] = pixels[i % shape.Channels * shape.PlaneSize + i / shape.Channels];
        IntPtr handle = tjInitCompress();
        IntPtr jpeg = IntPtr.Zero;
        var length = new CULong(0);
        var (format, subsampling) = shape.Channels == 1 ? (Grey, GreyOnly) : (Rgb, Every);
        try
        {
            int status = tjCompress2(
                handle,
                interleaved,
                shape.Width,
                0,
                shape.Height,
                format,
                ref jpeg,
                ref length,
                subsampling,
                98,
                0
            );
            Assert.That(status, Is.Zero);
            var bytes = new byte[(int)length.Value];
            Marshal.Copy(jpeg, bytes, 0, bytes.Length);
            return bytes;
        }
        finally
        {
            tjFree(jpeg);
            _ = tjDestroy(handle);
        }
    }

    [DllImport("libturbojpeg.so.0")]
    private static extern IntPtr tjInitCompress();

    [DllImport("libturbojpeg.so.0")]
    private static extern int tjCompress2(
        IntPtr handle,
        byte[] source,
        int width,
        int pitch,
        int height,
        int pixelFormat,
        ref IntPtr jpeg,
        ref CULong length,
        int subsampling,
        int quality,
        int flags
    );

    [DllImport("libturbojpeg.so.0")]
    private static extern void tjFree(IntPtr buffer);

    [DllImport("libturbojpeg.so.0")]
    private static extern int tjDestroy(IntPtr handle);
}
