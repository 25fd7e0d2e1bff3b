using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>What is known of a batch after it went forward and backward.</summary>
/// <param name="Loss">Mean over the batch, with the auxiliary heads'.</param>
/// <param name="Correct">Images whose label the head guessed.</param>
/// <param name="AreFinite">Whether the loss and the gradients of the step so far are.</param>
internal readonly record struct BatchFigures(double Loss, long Correct, bool AreFinite);

/// <summary>Forward pass, loss and backward pass: adds a batch's part to the gradients of a step.</summary>
internal sealed class GradientPass(Network network, Objective objective, RecipeOptimizer optimizer)
{
    /// <summary>Begins a step: its gradients are zero.</summary>
    public void Begin() => optimizer.ForgetGradients();

    /// <summary>Multiplies the gradients of the step so far.</summary>
    public void Scale(double factor) => optimizer.ScaleGradients(factor);

    /// <param name="share">The batch's part of its step.</param>
    public BatchFigures Run(BatchTensors batch, double share = 1)
    {
        using var scope = NewDisposeScope();
        var (loss, logits) = network.Differentiate(batch.Images, outputs => objective.Loss(outputs, batch), share);
        using var withoutGradient = no_grad();
        var correct = logits.argmax(1).eq(batch.Labels).sum().to(ScalarType.Float32);
        // The one place that waits for the device.
        float[] figures = stack([loss, correct, optimizer.Magnitude(loss.device)]).cpu().data<float>().ToArray();
        return new BatchFigures(figures[0], (long)figures[1], float.IsFinite(figures[0]) && float.IsFinite(figures[2]));
    }
}
