using System.Runtime.ExceptionServices;

namespace CnnSpec.Data;

/// <summary>
/// Batches made out of order by worker threads and handed over in order. At most <c>prefetch</c> are ready or under
/// way;
/// a failure comes out in place of the batch that failed, after the batches before it.
/// </summary>
internal sealed class PrefetchQueue : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, (Batch? Batch, ExceptionDispatchInfo? Failure)> _ready = [];
    private readonly SemaphoreSlim _room;
    private readonly SemaphoreSlim _progress = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread[] _threads;
    private readonly int _end;
    private int _claimed;
    private int _next;

    /// <param name="makeWorker">Called once on each thread, gives what makes a batch from its ordinal; its buffers are
    /// that thread's own. The token ends it early.</param>
    public PrefetchQueue(
        int start,
        int end,
        int workers,
        int prefetch,
        Func<CancellationToken, Func<int, Batch>> makeWorker
    )
    {
        (_claimed, _next, _end) = (start, start, end);
        _room = new SemaphoreSlim(prefetch);
        _threads = new Thread[Math.Clamp(end - start, 0, workers)];
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(() => Work(makeWorker(_stop.Token))) { IsBackground = true, Name = $"data {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>Waits for the next batch in order; null after the last.</summary>
    public Batch? Next()
    {
        if (_next >= _end)
            return null;
        while (true)
        {
            lock (_gate)
            {
                if (_ready.Remove(_next, out var result))
                {
                    _next++;
                    _room.Release();
                    result.Failure?.Throw();
                    return result.Batch;
                }
            }
            _progress.Wait();
        }
    }

    /// <summary>Stops the threads after the image that each is reading, and gives back what nobody took.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        foreach (var thread in _threads)
            thread.Join();
        foreach (var (batch, _) in _ready.Values)
            batch?.Dispose();
        _stop.Dispose();
        _room.Dispose();
        _progress.Dispose();
    }

    private void Work(Func<int, Batch> make)
    {
        try
        {
            while (true)
            {
                // Room first, then the ordinal: whoever holds the earliest ordinal can always finish it.
                _room.Wait(_stop.Token);
                int ordinal;
                lock (_gate)
                {
                    if (_claimed >= _end)
                        return;
                    ordinal = _claimed++;
                }
                (Batch?, ExceptionDispatchInfo?) result;
                try
                {
                    result = (make(ordinal), null);
                }
                catch (Exception e)
                {
                    result = (null, ExceptionDispatchInfo.Capture(e));
                }
                lock (_gate)
                    _ready.Add(ordinal, result);
                _progress.Release();
            }
        }
        catch (OperationCanceledException)
        {
            // Dispose asked the thread to stop.
        }
    }
}
