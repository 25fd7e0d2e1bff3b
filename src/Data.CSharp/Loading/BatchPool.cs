using System.Collections.Concurrent;

namespace CnnSpec.Data;

/// <summary>
/// Batches that were given back and can be filled again. It makes a new one rather than wait, so a consumer may keep
/// some. Not a <see cref="ConcurrentBag{T}"/>: that keeps its items in a list of the thread that added them, and a batch
/// refers to its pool, so a thread that outlives the pool would keep all of it.
/// </summary>
internal sealed class BatchPool(int capacity, ImageShape shape)
{
    private readonly ConcurrentStack<Batch> _free = [];

    public Batch Take()
    {
        if (!_free.TryPop(out var batch))
            batch = new Batch(this, capacity, shape);
        batch.Lend();
        return batch;
    }

    public void Return(Batch batch) => _free.Push(batch);
}
