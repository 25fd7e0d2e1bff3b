using System.Diagnostics;
using CnnSpec.Ir;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Benchmarks;

/// <summary>Medians over windows of several steps.</summary>
/// <param name="ProcessorSeconds">Of all threads, a step: what other programs on the machine hardly change.</param>
public sealed record Rate(double ImagesPerSecond, double StepSeconds, double ProcessorSeconds);

/// <summary>How fast a network trains and answers on images that lie in memory.</summary>
public static class Throughput
{
    private const int Windows = 5;

    /// <summary>Time to warm up in: the code that runs often is compiled again meanwhile.</summary>
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(0.5);

    /// <summary>A window has so many steps more where they are short.</summary>
    private static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(0.1);

    /// <summary>Forward pass, loss, backward pass and optimizer step.</summary>
    /// <param name="steps">At least, in all, besides the warm-up.</param>
    /// <param name="stop">Ends the measuring early.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static Rate Training(
        Network network,
        Recipe recipe,
        Tensor images,
        Tensor labels,
        int steps,
        CancellationToken stop
    )
    {
        using var step = new TrainingStep(network, recipe, images, labels);
        return Measure(images.shape[0], steps, step.Take, stop, network.Execution.Device);
    }

    /// <summary>The forward pass in evaluation mode.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static Rate Inference(Network network, Tensor images, int steps, CancellationToken stop)
    {
        network.eval();
        using var withoutGradient = no_grad();
        using var weights = network.FixWeights();
        return Measure(images.shape[0], steps, () => network.forward(images).Dispose(), stop, network.Execution.Device);
    }

    private static Rate Measure(long batch, int steps, Action step, CancellationToken stop, Device device)
    {
        Repeat(2, Warmup);
        int windows = Math.Min(Windows, steps);
        var seconds = new double[windows];
        var processor = new double[windows];
        for (int window = 0; window < windows; window++)
        {
            var clock = Stopwatch.StartNew();
            var busy = Environment.CpuUsage.TotalTime;
            int count = Repeat(steps * (window + 1) / windows - steps * window / windows, ShortestWindow);
            seconds[window] = clock.Elapsed.TotalSeconds / count;
            processor[window] = (Environment.CpuUsage.TotalTime - busy).TotalSeconds / count;
        }
        Array.Sort(seconds);
        Array.Sort(processor);
        double median = seconds[windows / 2];
        return new Rate(batch / median, median, processor[windows / 2]);

        int Repeat(int least, TimeSpan shortest)
        {
            var clock = Stopwatch.StartNew();
            int count = 0;
            for (; count < least || clock.Elapsed < shortest; count++)
            {
                stop.ThrowIfCancellationRequested();
                step();
            }
            EngineSetup.Finish(device);
            return count;
        }
    }
}
