using System.Diagnostics;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Benchmarks;

/// <summary>What this machine can do at most, measured: the two lines that no layer gets above.</summary>
/// <param name="Flops">Floating point operations a second, of a large matrix product in the precision at hand.</param>
/// <param name="Bandwidth">Bytes a second, read and written, of a copy too large for the caches.</param>
public sealed record Roofline(double Flops, double Bandwidth)
{
    private const int Repeats = 5;

    public static Roofline Measure(Execution execution)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        const long side = 1536;
        var (type, device) = (execution.ActivationType, execution.Device);
        var left = randn(side, side).to(type).to(device);
        var right = randn(side, side).to(type).to(device);
        double product = Fastest(() => left.mm(right).Dispose(), device);

        var from = ones(32 << 20).to(device);
        var to = zeros_like(from);
        double copy = Fastest(() => to.copy_(from), device);
        return new Roofline(2.0 * side * side * side / product, 2.0 * 4 * from.numel() / copy);
    }

    /// <summary>Seconds that the work must take at least.</summary>
    public double LeastSeconds(double flops, double bytes) => Math.Max(flops / Flops, bytes / Bandwidth);

    private static double Fastest(Action action, Device device)
    {
        action();
        EngineSetup.Finish(device);
        double best = double.PositiveInfinity;
        for (int i = 0; i < Repeats; i++)
        {
            var clock = Stopwatch.StartNew();
            action();
            EngineSetup.Finish(device);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        return best;
    }
}
