using CnnSpec.Ir;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>Where numbers stop being numbers: overflow to infinity, or NaN.</summary>
internal static class NumberCheck
{
    /// <summary>The sum of all gradients' absolute values, which is finite where each of them is: one number that stays on the device.</summary>
    public static Tensor Magnitude(IEnumerable<Tensor> gradients, Device device)
    {
        Tensor[] all = [.. gradients];
        if (FusedSteps.Takes(all))
            return tensor((float)FusedSteps.Magnitude(all));
        using var scope = NewDisposeScope();
        return all.Length == 0
            ? zeros([], device: device).MoveToOuterDisposeScope()
            : stack(all.Select(gradient => gradient.abs().sum())).sum().MoveToOuterDisposeScope();
    }

    /// <summary>Runs a batch again, looks at each layer, and names the first whose weights or output are not finite, going
    /// forward, or else whose gradient is not, going backward.</summary>
    /// <param name="loss">Of the values of the heads.</param>
    /// <returns>Words that end a sentence about the loss.</returns>
    public static string FirstCulprit(Network network, Tensor images, Func<Tensor[], Tensor> loss)
    {
        using var scope = NewDisposeScope();
        var program = network.Program;
        IrNode[] nodes = [.. program.Nodes];
        var weights = network.NamedWeights().ToDictionary(weight => weight.Name, weight => weight.Tensor);
        var values = network.Trace(images);

        for (int i = 0; i < nodes.Length; i++)
        {
            var bad = nodes[i].Weights.FirstOrDefault(weight => weight.Trainable && !IsFinite(weights[weight.Name]));
            if (bad is not null)
                return $"the weights of {Describe(nodes[i])} are no longer finite";
            if (!IsFinite(values[i]))
                return nodes[i].Op.IsInput
                    ? "the images of the batch are not finite"
                    : $"the first layer whose output is not finite is {Describe(nodes[i])}";
        }

        foreach (var value in values.Skip(1))
            if (value.requires_grad)
                value.retain_grad();
        foreach (var weight in weights.Values)
            weight.grad = null;
        var total = loss([values[program.Output], .. program.AuxiliaryHeads.Select(head => values[head.Node])]);
        if (!IsFinite(total))
            return "all layers' outputs are finite, but too large for the loss";
        total.backward();
        if (!HasFiniteGradient(values[program.Output]))
            return "the gradient of the loss itself is not finite";
        for (int i = nodes.Length - 1; i > 0; i--)
            if (
                nodes[i].Weights.Any(weight => !HasFiniteGradient(weights[weight.Name]))
                || nodes[i].Inputs.Any(input => !HasFiniteGradient(values[input]))
            )
                return $"going backward, the first layer whose gradient is not finite is {Describe(nodes[i])}";
        return "a second look at the batch found all layers' outputs and gradients finite";
    }

    private static string Describe(IrNode node) => $"{node.Path} ({node.Operator}, line {node.Line} of the spec)";

    private static bool HasFiniteGradient(Tensor tensor) => tensor.grad is not { } gradient || IsFinite(gradient);

    private static bool IsFinite(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
    }
}
