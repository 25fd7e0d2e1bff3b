using CnnSpec.Ir;
using CnnSpec.Runtime.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>The loss that a recipe trains on.</summary>
internal sealed class Objective(Program program, Recipe recipe)
{
    /// <summary>The head's loss and, weighted, that of each auxiliary head: a mean over the batch.</summary>
    /// <param name="outputs">Logits <c>[N,K]</c> of the head, then of each auxiliary head.</param>
    /// <param name="labels"><c>[N]</c></param>
    public Tensor Loss(Tensor[] outputs, Tensor labels, LabelMixing? mixing)
    {
        var loss = CrossEntropy(outputs[0], labels, mixing);
        int head = 1;
        foreach (var auxiliary in program.AuxiliaryHeads)
            loss = loss.add(CrossEntropy(outputs[head++], labels, mixing).mul(auxiliary.LossWeight));
        return loss;
    }

    /// <summary>Mean cross-entropy; of mixed images that of both labels, each by its share. Class weights make it a weighted
    /// mean, as in PyTorch.</summary>
    private Tensor CrossEntropy(Tensor logits, Tensor labels, LabelMixing? mixing)
    {
        var weights = recipe.Loss.ClassWeights.IsEmpty
            ? null
            : tensor(recipe.Loss.ClassWeights.Select(weight => (float)weight).ToArray(), device: logits.device);
        if (mixing is null)
            return nn.functional.cross_entropy(logits, labels, weights, label_smoothing: recipe.Loss.LabelSmoothing);

        var partners = labels.index_select(0, tensor(mixing.Partner, device: logits.device).to(int64));
        var own = tensor(mixing.Weight, device: logits.device);
        var others = own.neg().add(1);
        var sum = Each(logits, labels, weights).mul(own).add(Each(logits, partners, weights).mul(others));
        return weights is null
            ? sum.mean()
            : sum.sum()
                .div(weights.index_select(0, labels).mul(own).add(weights.index_select(0, partners).mul(others)).sum());
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
