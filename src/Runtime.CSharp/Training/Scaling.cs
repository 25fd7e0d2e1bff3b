using CnnSpec.Data;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>What a recipe's <c>normalize</c> comes to for a data set.</summary>
public static class Scaling
{
    /// <returns>Mean and deviation of each channel; null where pixels stay from 0 to 1.</returns>
    /// <exception cref="InputError">The recipe gives another number of channels than the images have.</exception>
    public static ChannelStatistics? For(PixelScaling scaling, DataSet data) =>
        scaling.IsByDataSet ? data.Statistics : Given(scaling, data.Train.Shape.Channels);

    /// <summary>What the recipe itself says, whatever the data.</summary>
    /// <returns>Null where it says nothing: pixels stay from 0 to 1, or the data set decides.</returns>
    /// <inheritdoc cref="For"/>
    public static ChannelStatistics? Given(PixelScaling scaling, int channels) =>
        scaling is PixelScaling.ByChannel given
            ? new ChannelStatistics(
                PerChannel([.. given.mean], "mean", channels),
                PerChannel([.. given.deviation], "std", channels)
            )
            : null;

    private static float[] PerChannel(double[] values, string name, int channels) =>
        values.Length == channels ? [.. values.Select(value => (float)value)]
        : values.Length == 1 ? [.. Enumerable.Repeat((float)values[0], channels)]
        : throw new InputError(
            $"normalize gives {values.Length} values of {name} for images of {channels} channels",
            "give one number, or one for each channel"
        );
}
