using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>The loss that a recipe trains on.</summary>
internal sealed class Objective(Program program, Recipe recipe)
{
    /// <summary>A batch of nothing but classes that weigh nothing has no loss, and not one of 0/0.</summary>
    private const float LeastWeight = 1e-30f;

    private readonly float[] _weights = [.. recipe.Loss.ClassWeights.Select(weight => (float)weight)];

    private readonly Constant? _classWeights = recipe.Loss.ClassWeights.IsEmpty
        ? null
        : new([.. recipe.Loss.ClassWeights.Select(weight => (float)weight)], recipe.Loss.ClassWeights.Length);

    /// <summary>What a batch counts in the mean over several: its number of images, or the sum of what their classes weigh. A
    /// mixed image counts by both labels, each by its share.</summary>
    public double Weight(Batch batch)
    {
        if (recipe.Loss.ClassWeights.IsEmpty)
            return batch.Count;
        double sum = 0;
        for (int row = 0; row < batch.Count; row++)
        {
            double own = batch.Mixing?.Weight[row] ?? 1;
            sum += own * _weights[batch.Labels[row]];
            if (batch.Mixing is { } mixing)
                sum += (1 - own) * _weights[batch.Labels[mixing.Partner[row]]];
        }
        return sum;
    }

    /// <summary>The head's loss and, weighted, that of each auxiliary head: a mean over the batch.</summary>
    /// <param name="outputs">Logits <c>[N,K]</c> of the head, then of each auxiliary head.</param>
    public Tensor Loss(Tensor[] outputs, BatchTensors batch)
    {
        var loss = CrossEntropy(outputs[0], batch);
        int head = 1;
        foreach (var auxiliary in program.AuxiliaryHeads)
            loss = loss.Plus(CrossEntropy(outputs[head++], batch).Times(auxiliary.LossWeight));
        return loss;
    }

    /// <summary>Mean cross-entropy; of mixed images that of both labels, each by its share. Class weights make it a weighted
    /// mean, as in PyTorch.</summary>
    private Tensor CrossEntropy(Tensor logits, BatchTensors batch)
    {
        var weights = _classWeights?.On(logits.device);
        var each = OfLabels(labels => Each(logits, labels, weights));
        return weights is null
            ? each.mean()
            : each.sum().div(OfLabels(labels => weights.index_select(0, labels)).sum().clamp_min(LeastWeight));

        // Of each image's label, or of both labels of a mixed one, each by its share.
        Tensor OfLabels(Func<Tensor, Tensor> value) =>
            batch.Mixed is not var (partners, own)
                ? value(batch.Labels)
                : value(batch.Labels).mul(own).Plus(value(partners).mul(own.neg().Plus(1)));
    }

    private Tensor Each(Tensor logits, Tensor labels, Tensor? weights) =>
        nn.functional.cross_entropy(
            logits,
            labels,
            weights,
            reduction: nn.Reduction.None,
            label_smoothing: recipe.Loss.LabelSmoothing
        );
}
