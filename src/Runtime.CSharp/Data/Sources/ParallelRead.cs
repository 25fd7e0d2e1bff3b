using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace CnnSpec.Runtime.Data;

/// <summary>Visits every index of a source on all cores.</summary>
internal static class ParallelRead
{
    /// <summary>Calls <paramref name="visit"/> with ranges <c>[first, end)</c> that cover <c>[0, count)</c>; a failure comes out as it was thrown.</summary>
    public static void Ranges(int count, CancellationToken cancellation, Action<int, int> visit)
    {
        if (count == 0)
            return;
        int size = Math.Clamp(count / (Environment.ProcessorCount * 8), 1, 4096);
        try
        {
            Parallel.ForEach(
                Partitioner.Create(0, count, size),
                new ParallelOptions { CancellationToken = cancellation },
                range => visit(range.Item1, range.Item2)
            );
        }
        catch (AggregateException e)
        {
            // Several files may be bad; the first one found is reported, as itself.
            ExceptionDispatchInfo.Throw(e.InnerExceptions.FirstOrDefault(x => x is UserError) ?? e.InnerExceptions[0]);
        }
    }
}
