using System.Diagnostics;
using CnnSpec.Ir;
using CnnSpec.Operators;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Benchmarks;

/// <summary>A stage of the network by itself.</summary>
/// <param name="Operation">What it is, as in <c>batch_norm+add+relu</c>.</param>
/// <param name="Flops">Floating point operations of the forward pass.</param>
/// <param name="Bytes">Read and written by the forward pass: inputs, weights, output, once each.</param>
public sealed record LayerTime(
    string Path,
    string Operation,
    double ForwardSeconds,
    double BackwardSeconds,
    double Flops,
    double Bytes
);

/// <summary>Each stage's own time, forward and backward: it runs alone, on the values that the network gives it.</summary>
public static class LayerTimes
{
    private const int Repeats = 5;

    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlyList<LayerTime> Of(Network network, Tensor images, CancellationToken stop)
    {
        network.train();
        using var scope = NewDisposeScope();
        var values = new Dictionary<int, Tensor> { [0] = images.ChannelsLast() };
        var costs = Costs(network.Program);
        var times = new List<LayerTime>();
        foreach (var stage in network.Stages)
        {
            stop.ThrowIfCancellationRequested();
            var (time, value) = Time(network, stage, [.. stage.Inputs.Select(input => values[input])], costs);
            times.Add(time);
            values[stage.Output] = value;
        }
        return times;
    }

    private static (LayerTime Time, Tensor Value) Time(
        Network network,
        PlannedStage stage,
        Tensor[] inputs,
        Dictionary<string, double> macs
    )
    {
        Tensor? value = null;
        double forward = double.PositiveInfinity;
        double backward = double.PositiveInfinity;
        bool differentiates = stage.HasParameters || !stage.Inputs.Contains(0);
        // Images need no gradient.
        var wanted = Array.ConvertAll(stage.Inputs, input => input != 0);
        for (int i = 0; i <= Repeats; i++)
        {
            using var scope = NewDisposeScope();
            using var withoutGradient = no_grad();
            var casts = Array.ConvertAll(inputs, input => stage.Type is { } type ? input.to(type) : input.alias());
            var kept = new Kept { Wanted = wanted };
            EngineSetup.Finish(network.Device);
            var clock = Stopwatch.StartNew();
            var output = stage.Computation.Record(casts, kept);
            EngineSetup.Finish(network.Device);
            double seconds = clock.Elapsed.TotalSeconds;
            if (i > 0)
                forward = Math.Min(forward, seconds);
            if (differentiates)
            {
                var gradient = ones_like(output);
                using var gradients = new Gradients(inputs.Length, (_, found) => found.Dispose());
                gradients.Enter([.. Enumerable.Range(0, inputs.Length)], wanted, null);
                EngineSetup.Finish(network.Device);
                clock.Restart();
                stage.Computation.Backward(gradient, kept, gradients);
                EngineSetup.Finish(network.Device);
                seconds = clock.Elapsed.TotalSeconds;
                if (i > 0)
                    backward = Math.Min(backward, seconds);
            }
            kept.Dispose();
            value?.Dispose();
            value = output.MoveToOuterDisposeScope();
        }
        double bytes = inputs
            .Append(value!)
            .Concat(stage.Layers.SelectMany(layer => layer.All))
            .Sum(tensor => (double)tensor.numel() * tensor.element_size());
        return (
            new LayerTime(
                stage.Source.Path,
                NameOf(stage.Source.Kernel),
                forward,
                double.IsInfinity(backward) ? 0 : backward,
                2 * Macs() * inputs[0].shape[0],
                bytes
            ),
            value!
        );

        // The summary has a line for each convolution, of which this is several.
        double Macs() =>
            stage.Source.Kernel is Kernel.MergedConv
                ? stage.Layers.Sum(layer => layer.Weight.numel()) * (double)(value!.shape[2] * value.shape[3])
                : macs.GetValueOrDefault(stage.Source.Path);
    }

    private static Dictionary<string, double> Costs(Program program) =>
        Summary.layers(program).GroupBy(layer => layer.Path).ToDictionary(g => g.Key, g => (double)g.Sum(l => l.Macs));

    private static string NameOf(Kernel kernel) =>
        kernel switch
        {
            Kernel.Normalise k => "batch_norm" + (k.sum ? "+add" : "") + (k.relu ? "+relu" : ""),
            Kernel.MaxPoolRelu => "max_pool+relu",
            Kernel.Join => "concat",
            Kernel.MergedConv k => $"{k.Item.Length} convs",
            Kernel.Single { Item: Op.Activate { Item: var activation } } => activation.ToString().ToLowerInvariant(),
            Kernel.Single k => Snake(k.Item.ToString()),
            _ => kernel.ToString()!,
        };

    /// <summary><c>MaxPool …</c> → <c>max_pool</c>.</summary>
    private static string Snake(string text)
    {
        string name = new([.. text.TakeWhile(char.IsLetterOrDigit)]);
        return string.Concat(
            name.Select(
                (c, i) =>
                    i > 0 && char.IsUpper(c) ? "_" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()
            )
        );
    }
}
