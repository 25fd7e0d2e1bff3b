using System.Collections.Concurrent;

namespace CnnSpec.Runtime.Data;

/// <summary>
/// Batches that were given back and can be filled again. It makes a new one rather than wait, so a consumer may keep
/// some.
/// </summary>
internal sealed class BatchPool(int capacity, ImageShape shape)
{
    private readonly ConcurrentBag<Batch> _free = [];

    public Batch Take()
    {
        if (!_free.TryTake(out var batch))
            batch = new Batch(this, capacity, shape);
        batch.Lend();
        return batch;
    }

    public void Return(Batch batch) => _free.Add(batch);
}
