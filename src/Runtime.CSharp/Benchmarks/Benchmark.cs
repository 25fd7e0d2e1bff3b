using System.Globalization;
using CnnSpec.Ir;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Benchmarks;

/// <param name="Threads">Of one operation; null for all processors.</param>
/// <param name="Layers">Time each layer by itself, too.</param>
public sealed record BenchmarkOptions(int Batch, int Steps, int? Threads, Execution Execution, bool Layers);

public sealed record LayerProfile(Roofline Limits, IReadOnlyList<LayerTime> Times);

/// <param name="PeakMemory">The most bytes of the machine's own memory that the process held while it trained.</param>
public sealed record BenchmarkReport(
    string Network,
    int Batch,
    int Threads,
    Execution Execution,
    Rate Training,
    Rate Inference,
    long PeakMemory,
    LayerProfile? Layers
);

/// <summary>One network measured on random images.</summary>
public static class Benchmark
{
    private const long Seed = 1;

    /// <param name="recipe">Its optimizer and its loss are used.</param>
    /// <exception cref="InputError">The network gives no number for each class, so there is no loss to train on.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static BenchmarkReport Run(Program program, Recipe recipe, BenchmarkOptions options, CancellationToken stop)
    {
        if (ProgramModule.outputShape(program).Length != 1)
            throw new InputError(
                "the network gives a map for an image, not a number for each class",
                "end it with flatten and linear(classes)"
            );
        EngineSetup.Initialise();
        if (options.Threads is { } threads)
            EngineSetup.Threads = threads;
        using var scope = NewDisposeScope();
        random.manual_seed(Seed);
        using var network = new Network(program, options.Execution);
        var device = options.Execution.Device;
        var (images, labels) = RandomBatch(program, options.Batch, device);

        var training = Throughput.Training(network, recipe, images, labels, options.Steps, stop);
        long peak = PeakMemory();
        var inference = Throughput.Inference(network, images, options.Steps, stop);
        var layers = options.Layers
            ? new LayerProfile(Roofline.Measure(options.Execution), LayerTimes.Of(network, images, stop))
            : null;
        return new BenchmarkReport(
            program.Network,
            options.Batch,
            EngineSetup.Threads,
            options.Execution,
            training,
            inference,
            peak,
            layers
        );
    }

    internal static (Tensor Images, Tensor Labels) RandomBatch(Program program, int batch, Device device)
    {
        // A failed rand of TorchSharp 0.107 gives a tensor of nothing, at whose use the process ends; a failed empty throws.
        var images = empty([batch, .. program.Input]).uniform_(0, 1).to(device);
        int classes = (int)ProgramModule.outputShape(program).Head;
        return (images, randint(0, classes, [batch]).to(int64).to(device));
    }

    /// <summary>The high-water mark of resident memory, which .NET's <c>PeakWorkingSet64</c> reads as the present one on Linux.</summary>
    private static long PeakMemory()
    {
        const string status = "/proc/self/status";
        if (!File.Exists(status))
            return System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64;
        string line = File.ReadLines(status).First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024
            * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
