using System.Diagnostics;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>One epoch of a run: every batch forward and backward, every step of the optimizer, a checkpoint now and then.</summary>
/// <param name="save">Writes a checkpoint.</param>
internal sealed class TrainingEpoch(
    Learner learner,
    TrainingData data,
    Recipe recipe,
    SaveClock clock,
    Action save,
    Action<TrainingEvent> tell
)
{
    /// <summary>"step" in ASCII: keeps the network's own random numbers (dropout) apart from those of the images.</summary>
    private const ulong Purpose = 0x73746570;

    /// <summary>What the batches of the step at hand count so far.</summary>
    private double _weightOfStep;

    /// <summary>Trains on what is left of the epoch that the learner is in.</summary>
    /// <exception cref="InputError">The loss or a gradient became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">It was stopped, between two steps.</exception>
    public void Run(CancellationToken stop)
    {
        var progress = learner.Progress;
        double before = progress.Seconds;
        var time = Stopwatch.StartNew();
        learner.Network.train();
        foreach (var part in data.Steps.Epoch(progress.Epoch, progress.Batch))
        {
            using var batch = part.Batch;
            LearnFrom(part);
            // Between the batches of one step there is nothing to stop at, or to save.
            if (!part.Ends)
                continue;
            TakeStep(part);
            progress.Seconds = before + time.Elapsed.TotalSeconds;
            tell(StepTaken.From(progress, data.Batches.BatchCount));
            stop.ThrowIfCancellationRequested();
            if (clock.IsDue)
                clock.Around(save);
        }
    }

    /// <summary>Forward and backward: adds the batch's part to the gradients of its step.</summary>
    private void LearnFrom(StepPart part)
    {
        using var scope = NewDisposeScope();
        if (part.Begins)
            learner.Gradients.Begin();
        SeedDropout(part.Batch);
        double weight = learner.Objective.Weight(part.Batch);
        _weightOfStep = part.Begins ? weight : _weightOfStep + weight;
        // Weighted by what it counts, means over batches make the mean over the step. A step of one batch is its own mean.
        double share = part.Begins && part.Ends ? 1 : weight / part.ImagesOfStep;
        var figures = learner.Gradients.Run(Tensors(part.Batch), share);
        if (!figures.AreFinite)
            throw Diverged(part.Batch, figures.Loss);
        learner.Progress.Count(part.Batch.Count, weight, figures.Loss, figures.Correct);
    }

    /// <summary>Changes the weights by the gradients of the step's batches.</summary>
    private void TakeStep(StepPart part)
    {
        // With class weights it is known only now what the step's images count together.
        if (!part.Begins && _weightOfStep != part.ImagesOfStep && _weightOfStep > 0)
            learner.Gradients.Scale(part.ImagesOfStep / _weightOfStep);
        var progress = learner.Progress;
        progress.LearningRate =
            RecipeModule.learningRate(recipe)
            * RecipeModule.rateFactor(recipe, part.Step, data.Steps.StepsPerEpoch)
            * progress.Plateau.Factor;
        learner.Optimizer.Step(progress.LearningRate);
        learner.Average?.Update();
        progress.Batch = part.Batch.Ordinal + 1;
    }

    private BatchTensors Tensors(Batch batch) => BatchTensors.Of(batch, learner.Network.Execution.Device);

    private void SeedDropout(Batch batch)
    {
        var stream = RandomStream.For((ulong)recipe.Seed, Purpose, (ulong)learner.Progress.Epoch, (ulong)batch.Ordinal);
        random.manual_seed((long)(stream.NextUInt64() >> 1));
    }

    /// <summary>Looks at the batch again, with the same random numbers, to say where the numbers were lost.</summary>
    private InputError Diverged(Batch batch, double loss)
    {
        var tensors = Tensors(batch);
        SeedDropout(batch);
        string culprit = NumberCheck.FirstCulprit(
            learner.Network,
            tensors.Images,
            outputs => learner.Objective.Loss(outputs, tensors)
        );
        string what = double.IsFinite(loss) ? "a gradient is not finite" : $"the loss is {loss}";
        return new InputError(
            $"{what} in epoch {learner.Progress.Epoch + 1}, step {batch.Ordinal + 1}: {culprit}",
            "lower the learning rate (--lr), add a warm-up, or clip gradients; what was saved before this step is kept"
        );
    }
}
