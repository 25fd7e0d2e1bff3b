namespace CnnSpec.Data;

/// <summary>
/// Images held in memory, at a fixed stride in one or more blocks: CIFAR's records are read where the file put them.
/// </summary>
public sealed class MemoryImages : IImageSource
{
    private readonly byte[][] _blocks;
    private readonly int _perBlock;
    private readonly int _stride;
    private readonly int _offset;
    private readonly int[] _labels;

    /// <param name="blocks">Each holds <paramref name="perBlock"/> records but the last, which may hold fewer.</param>
    /// <param name="stride">Bytes from one record to the next.</param>
    /// <param name="offset">Bytes from the start of a record to its pixels.</param>
    /// <param name="labels">One for each image.</param>
    public MemoryImages(
        byte[][] blocks,
        int perBlock,
        int stride,
        int offset,
        int[] labels,
        ImageShape shape,
        IReadOnlyList<string> classNames
    )
    {
        (_blocks, _perBlock, _stride, _offset, _labels) = (blocks, perBlock, stride, offset, labels);
        (Shape, ClassNames) = (shape, classNames);
    }

    /// <summary>Images one after the other in a single block.</summary>
    public MemoryImages(byte[] pixels, int[] labels, ImageShape shape, IReadOnlyList<string> classNames)
        : this([pixels], Math.Max(1, labels.Length), shape.Size, 0, labels, shape, classNames) { }

    public int Count => _labels.Length;
    public ImageShape Shape { get; }
    public IReadOnlyList<string> ClassNames { get; }

    public int Label(int index) => _labels[index];

    public void Read(int index, Span<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_labels.Length);
        var (block, record) = Math.DivRem(index, _perBlock);
        _blocks[block].AsSpan(checked(record * _stride) + _offset, Shape.Size).CopyTo(pixels);
    }

    /// <summary>Reads all of a slow source into memory, in parallel.</summary>
    /// <exception cref="UnreadableImages">Files of a folder cannot be decoded.</exception>
    public static MemoryImages Materialise(
        IImageSource source,
        IProgress<ReadProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        // Blocks of about 64 MB keep large sets clear of the 2 GB limit on one array.
        int perBlock = Math.Clamp((64 << 20) / source.Shape.Size, 1, Math.Max(1, source.Count));
        int blockCount = (source.Count + perBlock - 1) / perBlock;
        var blocks = new byte[blockCount][];
        for (int b = 0; b < blockCount; b++)
            blocks[b] = new byte[Math.Min(perBlock, source.Count - b * perBlock) * source.Shape.Size];
        var labels = new int[source.Count];
        int size = source.Shape.Size;
        var reader = new CarefulReader(source);
        ParallelRead.Ranges(
            source.Count,
            (first, end) =>
            {
                for (int i = first; i < end; i++)
                {
                    var (block, record) = Math.DivRem(i, perBlock);
                    reader.Read(i, blocks[block].AsSpan(record * size, size));
                    labels[i] = source.Label(i);
                }
            },
            progress,
            cancellation
        );
        reader.ThrowIfAny();
        return new MemoryImages(blocks, perBlock, source.Shape.Size, 0, labels, source.Shape, source.ClassNames);
    }
}
