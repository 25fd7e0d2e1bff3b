using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace CnnSpec.Data;

/// <summary>How far a pass over a source has come, in images.</summary>
public readonly record struct ReadProgress(int Done, int Total);

/// <summary>Visits every index of a source on all cores.</summary>
internal static class ParallelRead
{
    /// <summary>
    /// Calls <paramref name="visit"/> with ranges <c>[first, end)</c> that cover <c>[0, count)</c>; a failure comes out
    /// as it was thrown.
    /// </summary>
    public static void Ranges(
        int count,
        Action<int, int> visit,
        IProgress<ReadProgress>? progress,
        CancellationToken cancellation
    )
    {
        if (count == 0)
            return;
        int size = Math.Clamp(count / (Environment.ProcessorCount * 8), 1, 256);
        int done = 0;
        try
        {
            Parallel.ForEach(
                Partitioner.Create(0, count, size),
                new ParallelOptions { CancellationToken = cancellation },
                range =>
                {
                    visit(range.Item1, range.Item2);
                    int total = Interlocked.Add(ref done, range.Item2 - range.Item1);
                    progress?.Report(new ReadProgress(total, count));
                }
            );
        }
        catch (AggregateException e)
        {
            // Several files may be bad; the first one found is reported, as itself.
            ExceptionDispatchInfo.Throw(e.InnerExceptions.FirstOrDefault(x => x is UserError) ?? e.InnerExceptions[0]);
        }
    }
}
