namespace CnnSpec.Data;

/// <summary>How a source is turned into batches.</summary>
public sealed record BatchOptions
{
    /// <summary>Images a batch; the last of an epoch may have fewer.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Seeds the order and every transform.</summary>
    public ulong Seed { get; init; }

    /// <summary>A new order for every epoch; otherwise the order of the source.</summary>
    public bool Shuffle { get; init; }

    /// <summary>Leaves out a last batch that is not full.</summary>
    public bool DropLast { get; init; }

    /// <summary>Applied to the pixels last; null keeps plain <c>[0, 1]</c>.</summary>
    public ChannelStatistics? Statistics { get; init; }

    /// <summary>Applied to each image in this order, before it is normalised.</summary>
    public IReadOnlyList<ISampleTransform> Transforms { get; init; } = [];

    /// <summary>
    /// Applied to each batch, after its images are normalised; several can be joined by
    /// <see cref="RandomBatchChoice"/>.
    /// </summary>
    public IBatchTransform? BatchTransform { get; init; }

    /// <summary>Background threads. The batches do not depend on how many there are.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount / 2, 1, 8);

    /// <summary>Batches that may be ready or under way before they are asked for.</summary>
    public int Prefetch { get; init; } = 4;
}
