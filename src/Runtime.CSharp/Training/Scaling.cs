using CnnSpec.Data;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>What a recipe's <c>normalize</c> comes to for a data set.</summary>
public static class Scaling
{
    /// <returns>Mean and deviation of each channel; null where pixels stay from 0 to 1.</returns>
    /// <exception cref="InputError">The recipe gives another number of channels than the images have.</exception>
    public static ChannelStatistics? For(PixelScaling scaling, DataSet data)
    {
        if (scaling.IsUnitInterval)
            return null;
        if (scaling is not PixelScaling.ByChannel given)
            return data.Statistics;
        int channels = data.Train.Shape.Channels;
        return new ChannelStatistics(
            PerChannel([.. given.mean], "mean", channels),
            PerChannel([.. given.deviation], "std", channels)
        );
    }

    private static float[] PerChannel(double[] values, string name, int channels) =>
        values.Length == channels ? [.. values.Select(value => (float)value)]
        : values.Length == 1 ? [.. Enumerable.Repeat((float)values[0], channels)]
        : throw new InputError(
            $"normalize gives {values.Length} values of {name} for images of {channels} channels",
            "give one number, or one for each channel"
        );
}
