namespace CnnSpec.Data;

/// <summary>Mean and standard deviation (population) of each channel, in units where a full pixel is 1.</summary>
public sealed record ChannelStatistics(float[] Mean, float[] Deviation)
{
    /// <summary>Statistics that leave <c>[0, 1]</c> pixels as they are.</summary>
    public static ChannelStatistics Identity(int channels)
    {
        var one = new float[channels];
        Array.Fill(one, 1f);
        return new ChannelStatistics(new float[channels], one);
    }

    /// <summary>
    /// Reads every image once. Sums are integers, so the result is exact and does not depend on the order or the number
    /// of threads.
    /// </summary>
    /// <exception cref="UnreadableImages">Files of a folder cannot be decoded.</exception>
    public static ChannelStatistics Of(
        IImageSource source,
        IProgress<ReadProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var shape = source.Shape;
        var totals = new Moments(shape.Channels);
        var reader = new CarefulReader(source);
        ParallelRead.Ranges(
            source.Count,
            (first, end) =>
            {
                var sums = new Moments(shape.Channels);
                var pixels = new byte[shape.Size];
                for (int i = first; i < end; i++)
                {
                    reader.Read(i, pixels);
                    sums.Add(pixels, shape);
                }
                lock (totals)
                    totals.Add(sums);
            },
            progress,
            cancellation
        );
        reader.ThrowIfAny();
        return totals.Statistics((long)source.Count * shape.PlaneSize);
    }

    /// <summary>Exact sums of pixel values and of their squares: 64 bits hold 10^14 pixels.</summary>
    private sealed class Moments(int channels)
    {
        private readonly long[] _sum = new long[channels];
        private readonly long[] _squares = new long[channels];

        public void Add(ReadOnlySpan<byte> pixels, ImageShape shape)
        {
            for (int c = 0; c < channels; c++)
            {
                long sum = 0;
                long squares = 0;
                foreach (byte p in pixels.Slice(c * shape.PlaneSize, shape.PlaneSize))
                {
                    sum += p;
                    squares += p * p;
                }
                _sum[c] += sum;
                _squares[c] += squares;
            }
        }

        public void Add(Moments other)
        {
            for (int c = 0; c < channels; c++)
            {
                _sum[c] += other._sum[c];
                _squares[c] += other._squares[c];
            }
        }

        public ChannelStatistics Statistics(long count)
        {
            var mean = new float[channels];
            var deviation = new float[channels];
            for (int c = 0; c < channels; c++)
            {
                double m = count == 0 ? 0 : (double)_sum[c] / count;
                double variance = count == 0 ? 0 : Math.Max(0, (double)_squares[c] / count - m * m);
                mean[c] = (float)(m / 255);
                deviation[c] = (float)(Math.Sqrt(variance) / 255);
            }
            return new ChannelStatistics(mean, deviation);
        }
    }
}
