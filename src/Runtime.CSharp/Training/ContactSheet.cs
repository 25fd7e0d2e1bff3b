using CnnSpec.Data;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>
/// Images of a data set as training sees them: in each pair of rows the originals above, what a recipe makes of them
/// below. The same loader, order and random numbers as in the first epoch of a run with that seed.
/// </summary>
public sealed class ContactSheet
{
    private const int Columns = 8;

    /// <summary>Images are enlarged, by a whole factor, to at least this many pixels.</summary>
    private const int LeastSize = 96;
    private const int Gap = 4;
    private const int PairGap = 20;

    private readonly List<(byte[] Pixels, ImageShape Shape)> _originals = [];
    private readonly List<(byte[] Pixels, ImageShape Shape)> _augmented = [];

    /// <param name="recipe">Whose augmentations to show; null for the images alone.</param>
    public ContactSheet(DataSet data, Recipe? recipe, long seed, int count)
    {
        var loader = new BatchLoader(
            data.Train,
            new BatchOptions
            {
                BatchSize = Math.Min(count, data.Train.Count),
                Seed = (ulong)seed,
                Shuffle = true,
                Workers = 1,
                Transforms = recipe is null ? [] : Augmentations.OfImages(recipe.Augment, data),
                BatchTransform = recipe is null ? null : Augmentations.OfBatches(recipe.Augment),
            }
        );
        using var batch = loader.Epoch(0).First();
        for (int row = 0; row < batch.Count; row++)
        {
            var original = new byte[data.Train.Shape.Size];
            data.Train.Read(batch.Indices[row], original);
            _originals.Add((original, data.Train.Shape));
            if (recipe is not null)
                _augmented.Add(([.. batch.Image(row).ToArray().Select(ToByte)], batch.Shape));
        }
        Classes = [.. batch.Labels.Take(batch.Count).Select(label => data.Train.ClassNames[(int)label])];
    }

    /// <summary>The classes of the images, row by row.</summary>
    public IReadOnlyList<string> Classes { get; }

    public static int ImagesPerRow => Columns;

    /// <summary>The sheet as a PNG, white between the images.</summary>
    public byte[] ToPng()
    {
        var (_, shape) = _originals[0];
        int height = Math.Max(shape.Height, _augmented.Count > 0 ? _augmented[0].Shape.Height : 0);
        int width = Math.Max(shape.Width, _augmented.Count > 0 ? _augmented[0].Shape.Width : 0);
        int scale = Math.Max(1, (LeastSize + Math.Max(height, width) - 1) / Math.Max(height, width));
        int rowHeight = height * scale + Gap;
        int rowsInPair = _augmented.Count > 0 ? 2 : 1;
        int pairHeight = rowsInPair * rowHeight + (rowsInPair == 2 ? PairGap : 0);
        int pairs = (_originals.Count + Columns - 1) / Columns;
        var sheet = new ImageShape(shape.Channels, pairs * pairHeight + Gap, Columns * (width * scale + Gap) + Gap);
        var pixels = new byte[sheet.Size];
        Array.Fill(pixels, byte.MaxValue);

        for (int i = 0; i < _originals.Count; i++)
        {
            int left = Gap + i % Columns * (width * scale + Gap);
            int top = Gap + i / Columns * pairHeight;
            Paint(pixels, sheet, _originals[i], scale, left, top);
            if (_augmented.Count > 0)
                Paint(pixels, sheet, _augmented[i], scale, left, top + rowHeight);
        }
        return ImageDecoder.EncodePng(pixels, sheet);
    }

    private static void Paint(
        byte[] sheet,
        ImageShape size,
        (byte[] Pixels, ImageShape Shape) image,
        int scale,
        int left,
        int top
    )
    {
        var shape = image.Shape;
        for (int c = 0; c < shape.Channels; c++)
        for (int y = 0; y < shape.Height * scale; y++)
        for (int x = 0; x < shape.Width * scale; x++)
            sheet[c * size.PlaneSize + (top + y) * size.Width + left + x] = image.Pixels[
                c * shape.PlaneSize + y / scale * shape.Width + x / scale
            ];
    }

    private static byte ToByte(float value) => (byte)Math.Clamp(MathF.Round(value * 255), 0, 255);
}
