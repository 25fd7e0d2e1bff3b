namespace CnnSpec.Data;

/// <summary>
/// Images ready for the network. The arrays are as long as the largest batch; the first <see cref="Count"/> rows are
/// valid.
/// Disposing gives the buffers back to the loader, after which they must not be used.
/// </summary>
public sealed class Batch : IDisposable
{
    private readonly BatchPool _pool;
    private bool _lent;

    internal Batch(BatchPool pool, int capacity, ImageShape shape)
    {
        _pool = pool;
        Shape = shape;
        // Pinned, so that an engine may read the floats where they are, without fixing them for each copy.
        Pixels = GC.AllocateUninitializedArray<float>(checked(capacity * shape.Size), pinned: true);
        Labels = GC.AllocateUninitializedArray<long>(capacity, pinned: true);
        Indices = new int[capacity];
    }

    /// <summary>The shape of each image, after the transforms.</summary>
    public ImageShape Shape { get; }

    /// <summary>Normalised values, <c>[N, C, H, W]</c>. The memory does not move.</summary>
    public float[] Pixels { get; }

    /// <summary>The label of each image, <c>[N]</c>. The memory does not move.</summary>
    public long[] Labels { get; }

    /// <summary>Where in the source each image comes from, <c>[N]</c>.</summary>
    public int[] Indices { get; }

    /// <summary>How many images there are; the last batch of an epoch may have fewer.</summary>
    public int Count { get; internal set; }

    /// <summary>Which batch of the epoch this is, from 0.</summary>
    public int Ordinal { get; internal set; }

    /// <summary>How labels are mixed, when a batch transform such as mixup mixed the images; else null.</summary>
    public LabelMixing? Mixing { get; set; }

    /// <summary>The values of one image, <c>[C, H, W]</c>.</summary>
    public Span<float> Image(int row) => Pixels.AsSpan(row * Shape.Size, Shape.Size);

    internal void Lend()
    {
        _lent = true;
        Mixing = null;
    }

    public void Dispose()
    {
        if (!_lent)
            return;
        _lent = false;
        _pool.Return(this);
    }
}

/// <summary>
/// Soft labels: image <c>i</c> counts <c>Weight[i]</c> for its own label and the rest for the label of image
/// <c>Partner[i]</c>.
/// </summary>
/// <param name="Partner">A row of the same batch, <c>[N]</c>.</param>
/// <param name="Weight">In <c>[0, 1]</c>, <c>[N]</c>.</param>
public sealed record LabelMixing(int[] Partner, float[] Weight);
