using System.Security.Cryptography;
using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

/// <summary>The hashes are of Pillow's output for the same pixels, a 13×17 RGB image.</summary>
public sealed class ColourOperationsTests
{
    private static readonly ImageShape Shape = new(3, 13, 17);

    [TestCase("brightness", 0.3, "3a19c5811ac0735d")]
    [TestCase("contrast", 0.3, "839fef9c0eff1cd8")]
    [TestCase("saturation", 0.3, "5ba283a648c95e67")]
    [TestCase("sharpness", 0.3, "927caab0f482af46")]
    [TestCase("brightness", 1.0, "6da96c99e8e402bf")]
    [TestCase("contrast", 1.0, "6da96c99e8e402bf")]
    [TestCase("saturation", 1.0, "6da96c99e8e402bf")]
    [TestCase("sharpness", 1.0, "6da96c99e8e402bf")]
    [TestCase("brightness", 1.7, "07f3a5e6fb142bd5")]
    [TestCase("contrast", 1.7, "811c6841a28d6ab5")]
    [TestCase("saturation", 1.7, "a683ab7d4dfcbf17")]
    [TestCase("sharpness", 1.7, "356e4f1950b22a18")]
    [TestCase("hue", -0.4, "07f4c5edbc585ed9")]
    [TestCase("hue", 0.0, "33388cd25cdf6339")]
    [TestCase("hue", 0.1, "71d2d91fa8d03f59")]
    [TestCase("posterize", 5, "f2dd8908d6dddd9b")]
    [TestCase("solarize", 128, "687e3f42a7df666f")]
    [TestCase("autocontrast", 0, "9ffd12eb963d3674")]
    [TestCase("equalize", 0, "6da96c99e8e402bf")]
    [TestCase("rotate", 30, "47b4fa93b4ec502b")]
    [TestCase("rotate", -17, "6c5b3d420a36446d")]
    [TestCase("shearx", 0.2, "3399da0005f7460f")]
    public void Is_Pillows_to_the_bit(string operation, double amount, string hash)
    {
        byte[] pixels = TestImages.Pattern(Shape.Size);
        if (operation == "autocontrast")
            pixels = Array.ConvertAll(pixels, p => (byte)(p / 3 + 40));
        var canvas = Canvas(Shape, pixels);
        float factor = (float)amount;
        switch (operation)
        {
            case "brightness":
                ColourOperations.Brightness(canvas, factor);
                break;
            case "contrast":
                ColourOperations.Contrast(canvas, factor);
                break;
            case "saturation":
                ColourOperations.Saturation(canvas, factor);
                break;
            case "sharpness":
                ColourOperations.Sharpness(canvas, factor);
                break;
            case "hue":
                HueShift.Apply(canvas, amount);
                break;
            case "posterize":
                ColourOperations.Posterize(canvas, (int)amount);
                break;
            case "solarize":
                ColourOperations.Solarize(canvas, amount);
                break;
            case "autocontrast":
                ColourOperations.AutoContrast(canvas);
                break;
            case "equalize":
                ColourOperations.Equalize(canvas);
                break;
            case "rotate":
                AffineMap.About(Shape, -amount, 0, 0, 1, 0, 0).Apply(canvas, Interpolation.Nearest);
                break;
            case "shearx":
                new AffineMap(1, amount, 0, 0, 1, 0).Apply(canvas, Interpolation.Nearest);
                break;
        }
        Assert.That(Hash(canvas), Is.EqualTo(hash));
    }

    [Test]
    public void Equalize_is_Pillows_where_levels_are_crowded()
    {
        var shape = new ImageShape(3, 40, 60);
        var canvas = Canvas(shape, Array.ConvertAll(TestImages.Pattern(shape.Size), p => (byte)(p / 2)));
        ColourOperations.Equalize(canvas);
        Assert.That(Hash(canvas), Is.EqualTo("4f7b7f64c58bd7c3"));
    }

    [Test]
    public void A_grey_image_has_no_saturation_or_hue()
    {
        var shape = new ImageShape(1, 5, 8);
        byte[] pixels = TestImages.Pattern(shape.Size);
        var canvas = Canvas(shape, pixels);
        ColourOperations.Saturation(canvas, 0.2f);
        HueShift.Apply(canvas, 0.3);
        Assert.That(canvas.Pixels.ToArray(), Is.EqualTo(pixels));
    }

    internal static Canvas Canvas(ImageShape shape, byte[] pixels)
    {
        var canvas = new Canvas();
        pixels.CopyTo(canvas.Begin(shape));
        return canvas;
    }

    private static string Hash(Canvas canvas) => Convert.ToHexStringLower(SHA256.HashData(canvas.Pixels))[..16];
}
