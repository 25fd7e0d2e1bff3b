using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>The loss that a recipe trains on.</summary>
internal sealed class Objective(Program program, Recipe recipe)
{
    private readonly Constant? _classWeights = recipe.Loss.ClassWeights.IsEmpty
        ? null
        : new([.. recipe.Loss.ClassWeights.Select(weight => (float)weight)], recipe.Loss.ClassWeights.Length);

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
            : each.sum().div(OfLabels(labels => weights.index_select(0, labels)).sum());

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
