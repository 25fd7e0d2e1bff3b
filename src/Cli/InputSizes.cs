namespace CnnSpec.Cli;

/// <summary>Which input sizes a network takes without a window leaving out the edge of its map.</summary>
public static class InputSizes
{
    /// <summary>The warning about edges that no window sees.</summary>
    private const string DroppedEdge = "W0101";

    /// <summary>Sizes from 1 to twice the spec's own, height and width in the spec's proportion, that fit and drop nothing.</summary>
    public static IReadOnlyList<(long Height, long Width)> Fitting(
        Compile.Compilation spec,
        SpecFile.Settings settings,
        Ir.Program program
    )
    {
        long[] input = [.. program.Input];
        if (input.Length != 3)
            return [];
        long divisor = Divisor(input[1], input[2]);
        var (tall, wide) = (input[1] / divisor, input[2] / divisor);
        var fitting = new List<(long, long)>();
        for (long scale = 1; scale <= 2 * divisor; scale++)
        {
            var compilation = SpecFile.Again(spec, settings with { Input = [input[0], scale * tall, scale * wide] });
            if (!compilation.HasErrors && compilation.Diagnostics.All(d => d.Code != DroppedEdge))
                fitting.Add((scale * tall, scale * wide));
        }
        return fitting;
    }

    /// <summary><c>1x1 to 64x64, 96x96</c>: neighbours in one range.</summary>
    public static string Describe(IReadOnlyList<(long Height, long Width)> sizes)
    {
        if (sizes.Count == 0)
            return "none";
        long step = sizes[0].Height / Divisor(sizes[0].Height, sizes[0].Width);
        var ranges = new List<((long Height, long Width) First, (long Height, long Width) Last)>();
        foreach (var size in sizes)
            if (ranges.Count > 0 && size.Height == ranges[^1].Last.Height + step)
                ranges[^1] = (ranges[^1].First, size);
            else
                ranges.Add((size, size));
        return string.Join(
            ", ",
            ranges.Select(range =>
                range.First == range.Last
                    ? $"{range.First.Height}x{range.First.Width}"
                    : $"{range.First.Height}x{range.First.Width} to {range.Last.Height}x{range.Last.Width}"
            )
        );
    }

    private static long Divisor(long a, long b) => b == 0 ? a : Divisor(b, a % b);
}
