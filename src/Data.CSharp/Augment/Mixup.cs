namespace CnnSpec.Data;

/// <summary>
/// Blends each image with the one before it in the batch, and its label likewise (Zhang et al. 2018, arXiv:1710.09412).
/// The order of a
/// shuffled batch is random already, so the neighbour serves as the random partner, as in torchvision. One weight for
/// the batch.
/// </summary>
/// <param name="alpha">The weight is drawn from Beta(α, α).</param>
public sealed class Mixup(double alpha = 1) : IBatchTransform
{
    private readonly double _alpha = NeighbourMixing.Alpha(alpha);

    public void Apply(Batch batch, ref RandomStream random)
    {
        float weight = (float)BetaDistribution.Draw(_alpha, ref random);
        NeighbourMixing.ForEachPair(
            batch,
            (image, neighbour) =>
            {
                for (int i = 0; i < image.Length; i++)
                    image[i] = weight * image[i] + (1 - weight) * neighbour[i];
            }
        );
        batch.Mixing = NeighbourMixing.Labels(batch.Count, weight);
    }
}

/// <summary>
/// Pastes a rectangle of the image before it in the batch into each image; labels count by area (Yun et al. 2019,
/// arXiv:1905.04899).
/// One rectangle for the batch, chosen as in torchvision.
/// </summary>
/// <param name="alpha">The part that stays is drawn from Beta(α, α), before the rectangle is cut off at the
/// edges.</param>
public sealed class CutMix(double alpha = 1) : IBatchTransform
{
    private readonly double _alpha = NeighbourMixing.Alpha(alpha);

    public void Apply(Batch batch, ref RandomStream random)
    {
        var shape = batch.Shape;
        double half = 0.5 * Math.Sqrt(1 - BetaDistribution.Draw(_alpha, ref random));
        int x = random.NextInt(shape.Width);
        int y = random.NextInt(shape.Height);
        int halfWidth = (int)(half * shape.Width);
        int halfHeight = (int)(half * shape.Height);
        int left = Math.Max(0, x - halfWidth);
        int top = Math.Max(0, y - halfHeight);
        int width = Math.Min(shape.Width, x + halfWidth) - left;
        int height = Math.Min(shape.Height, y + halfHeight) - top;
        NeighbourMixing.ForEachPair(
            batch,
            (image, neighbour) =>
            {
                for (int row = 0; row < shape.Channels * height; row++)
                {
                    int start = (row / height * shape.Height + top + row % height) * shape.Width + left;
                    neighbour.Slice(start, width).CopyTo(image[start..]);
                }
            }
        );
        batch.Mixing = NeighbourMixing.Labels(batch.Count, 1 - (float)(width * height) / shape.PlaneSize);
    }
}

/// <summary>Applies one of several batch transforms, each as likely, to each batch: mixup or CutMix.</summary>
public sealed class RandomBatchChoice(params IReadOnlyList<IBatchTransform> choices) : IBatchTransform
{
    public void Apply(Batch batch, ref RandomStream random) =>
        choices[random.NextInt(choices.Count)].Apply(batch, ref random);
}

/// <summary>What mixup and CutMix share: row i is mixed with row i − 1, the first with the last.</summary>
internal static class NeighbourMixing
{
    public delegate void Mix(Span<float> image, ReadOnlySpan<float> neighbour);

    public static double Alpha(double alpha) =>
        alpha > 0 ? alpha : throw new InputError($"alpha = {alpha} is not above 0", "use 0.2 to 1, as the papers do");

    public static void ForEachPair(Batch batch, Mix mix)
    {
        // From the last row down, each neighbour is still as it was; only the last row is needed after it has changed.
        float[] last = batch.Image(batch.Count - 1).ToArray();
        for (int row = batch.Count - 1; row > 0; row--)
            mix(batch.Image(row), batch.Image(row - 1));
        mix(batch.Image(0), last);
    }

    public static LabelMixing Labels(int count, float weight)
    {
        var partner = new int[count];
        var weights = new float[count];
        for (int row = 0; row < count; row++)
        {
            partner[row] = row == 0 ? count - 1 : row - 1;
            weights[row] = weight;
        }
        return new LabelMixing(partner, weights);
    }
}
