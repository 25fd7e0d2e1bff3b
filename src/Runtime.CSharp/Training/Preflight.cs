using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>A look at an untrained network before time is spent on it: one batch forward and backward, of which nothing
/// stays.</summary>
internal static class Preflight
{
    /// <summary>More show nothing that these do not.</summary>
    private const int MostImages = 64;

    /// <summary>A loss beyond these multiples of guessing's is not what small random weights give.</summary>
    private const double LeastRatio = 0.5;
    private const double MostRatio = 2;

    public static PreflightDone Of(Network network, TrainingData data, Objective objective)
    {
        using var scope = NewDisposeScope();
        var parameters = network.named_parameters().ToArray();
        var learnt = parameters.Select(entry => entry.name).ToHashSet();
        var buffers = network
            .NamedWeights()
            .Where(weight => !learnt.Contains(weight.Name))
            .Select(weight => (weight.Tensor, Before: weight.Tensor.clone()))
            .ToArray();

        using var batch = data.Batches.Epoch(0).First();
        var all = BatchTensors.Of(batch, network.Execution.Device);
        long count = Math.Min(batch.Count, MostImages);
        var some = new BatchTensors(all.Images.narrow(0, 0, count), all.Labels.narrow(0, 0, count));
        network.train();
        var outputs = network.ForwardWithHeads(some.Images);
        double loss = nn.functional.cross_entropy(outputs[0], some.Labels).item<float>();
        objective.Loss(outputs, some).backward();

        var without = new List<string>();
        var zero = new List<string>();
        foreach (var (name, parameter) in parameters)
        {
            if (parameter.grad is not { } gradient)
                without.Add(name);
            else if (!gradient.any().item<bool>())
                zero.Add(name);
            parameter.grad = null;
        }
        using var withoutGradient = no_grad();
        foreach (var (tensor, before) in buffers)
            tensor.copy_(before);
        double guessing = Math.Log(outputs[0].shape[1]);
        bool isOff = !(loss >= LeastRatio * guessing && loss <= MostRatio * guessing);
        return new PreflightDone(loss, guessing, isOff, parameters.Length, without, zero);
    }
}
