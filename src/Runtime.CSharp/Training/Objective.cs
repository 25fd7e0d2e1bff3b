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

    /// <summary>Mean cross-entropy; of mixed images that of both labels, each by its share.</summary>
    private Tensor CrossEntropy(Tensor logits, Tensor labels, LabelMixing? mixing)
    {
        double smoothing = recipe.LabelSmoothing;
        if (mixing is null)
            return nn.functional.cross_entropy(logits, labels, label_smoothing: smoothing);
        var partners = labels.index_select(0, tensor(mixing.Partner).to(int64));
        var own = tensor(mixing.Weight);
        var first = nn.functional.cross_entropy(
            logits,
            labels,
            reduction: nn.Reduction.None,
            label_smoothing: smoothing
        );
        var second = nn.functional.cross_entropy(
            logits,
            partners,
            reduction: nn.Reduction.None,
            label_smoothing: smoothing
        );
        return first.mul(own).add(second.mul(own.neg().add(1))).mean();
    }
}
