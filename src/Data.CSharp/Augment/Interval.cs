namespace CnnSpec.Data;

/// <summary>The range that a transform draws a number from.</summary>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>Uniform.</summary>
    public double Draw(ref RandomStream random) => random.NextDouble(Low, High);

    /// <summary>Uniform in the logarithm, so that 1/2 is as likely as 2: for aspect ratios.</summary>
    public double DrawRatio(ref RandomStream random) => Math.Exp(random.NextDouble(Math.Log(Low), Math.Log(High)));

    /// <summary>The interval itself, when it is one and lies within the limits.</summary>
    /// <exception cref="InputError">It does not; the message names the argument.</exception>
    public Interval Within(double least, double most, string argument) =>
        Low >= least && Low <= High && High <= most
            ? this
            : throw new InputError(
                $"{argument} = [{Low}, {High}] is not a range from {least} to {most}",
                $"give {argument} as [low, high], low first"
            );

    /// <summary>A probability, when it is one.</summary>
    /// <exception cref="InputError">It is not.</exception>
    internal static double Probability(double value) =>
        value is >= 0 and <= 1
            ? value
            : throw new InputError($"a probability of {value} is not from 0 to 1", "give a number from 0 to 1");
}
