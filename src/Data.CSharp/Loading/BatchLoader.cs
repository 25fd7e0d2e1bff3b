namespace CnnSpec.Data;

/// <summary>
/// Reads, transforms and normalises batches on background threads. What comes out depends on the source, the options
/// and the
/// epoch alone: an image's random numbers derive from (seed, epoch, its index), so neither threads nor a start in mid-epoch
/// change it.
/// </summary>
public sealed class BatchLoader
{
    /// <summary>Keep the order's stream, the images' and the batches' apart under one seed.</summary>
    private enum Purpose : ulong
    {
        Order = 1,
        Sample = 2,
        Batch = 3,
    }

    private readonly IImageSource _source;
    private readonly BatchOptions _options;
    private readonly Normalisation _normalisation;
    private readonly BatchPool _pool;

    /// <exception cref="InputError">There are no images, or they cannot be given the shape that the transforms
    /// need.</exception>
    public BatchLoader(IImageSource source, BatchOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Workers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Prefetch);
        if (source.Count == 0)
            throw new InputError("there are no images to load", "choose a larger part of the data set");
        _source = source;
        _options = options;
        Shape = options.Transforms.Aggregate(source.Shape, (shape, transform) => transform.Output(shape));
        _normalisation = new Normalisation(options.Statistics ?? ChannelStatistics.Identity(Shape.Channels));
        if (_normalisation.Channels != Shape.Channels)
            throw new InputError(
                $"the images have {Shape.Channels} channels, the mean and deviation {_normalisation.Channels}",
                "give one mean and one deviation for each channel"
            );
        _pool = new BatchPool(options.BatchSize, Shape);
    }

    /// <summary>The shape of each image in a batch.</summary>
    public ImageShape Shape { get; }

    /// <summary>What it makes batches of.</summary>
    public IImageSource Source => _source;

    /// <summary>Batches in one epoch.</summary>
    public int BatchCount =>
        _options.DropLast
            ? _source.Count / _options.BatchSize
            : (_source.Count + _options.BatchSize - 1) / _options.BatchSize;

    /// <summary>Images in one epoch.</summary>
    public int ImageCount => _options.DropLast ? BatchCount * _options.BatchSize : _source.Count;

    /// <summary>
    /// The batches of an epoch, in order. Dispose each when done with it; leaving the loop early stops the threads.
    /// </summary>
    /// <param name="epoch">Decides the order and the random numbers of the transforms.</param>
    /// <param name="start">The first batch wanted: the same batches as those of a whole epoch from there on.</param>
    public IEnumerable<Batch> Epoch(int epoch, int start = 0)
    {
        int[] order = Order(epoch);
        using var queue = new PrefetchQueue(
            start,
            BatchCount,
            _options.Workers,
            _options.Prefetch,
            stop =>
            {
                var canvas = new Canvas();
                return ordinal => Fill(epoch, ordinal, order, canvas, stop);
            }
        );
        while (queue.Next() is { } batch)
            yield return batch;
    }

    private int[] Order(int epoch)
    {
        var order = new int[_source.Count];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        if (_options.Shuffle)
        {
            var random = RandomStream.For(_options.Seed, (ulong)Purpose.Order, (ulong)epoch);
            random.Shuffle(order);
        }
        return order;
    }

    private Batch Fill(int epoch, int ordinal, int[] order, Canvas canvas, CancellationToken stop)
    {
        int first = ordinal * _options.BatchSize;
        var batch = _pool.Take();
        try
        {
            batch.Ordinal = ordinal;
            batch.Count = Math.Min(_options.BatchSize, order.Length - first);
            for (int row = 0; row < batch.Count; row++)
            {
                stop.ThrowIfCancellationRequested();
                int index = order[first + row];
                batch.Indices[row] = index;
                batch.Labels[row] = _source.Label(index);
                _source.Read(index, canvas.Begin(_source.Shape));
                if (_options.Transforms.Count > 0)
                {
                    var random = RandomStream.For(_options.Seed, (ulong)Purpose.Sample, (ulong)epoch, (ulong)index);
                    foreach (var transform in _options.Transforms)
                        transform.Apply(canvas, ref random);
                }
                _normalisation.Apply(canvas.Pixels, batch.Image(row), Shape);
            }
            var stream = RandomStream.For(_options.Seed, (ulong)Purpose.Batch, (ulong)epoch, (ulong)ordinal);
            _options.BatchTransform?.Apply(batch, ref stream);
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }
}
