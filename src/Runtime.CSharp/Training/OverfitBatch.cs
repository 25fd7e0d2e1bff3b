using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>
/// Trains on one batch again and again, as it is: without augmentation, smoothing or a schedule. A network, an optimizer and
/// a data set that belong together learn it by heart; where they do not, whole epochs would be wasted. Nothing is kept.
/// </summary>
public sealed class OverfitBatch(TrainingPlan plan, Action<TrainingEvent> tell)
{
    /// <summary>How often it looks whether the batch is learnt.</summary>
    private const int Looks = 10;

    /// <summary>Learnt is a loss below this part of guessing's, with every image right.</summary>
    private const double LearntRatio = 0.1;

    /// <returns>Whether the batch was learnt within so many steps.</returns>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public bool Execute(int steps, CancellationToken stop)
    {
        EngineSetup.Initialise(plan.Threads);
        var simple = plan with { Recipe = RecipeModule.plain(plan.Recipe) };
        var data = TrainingData.Of(simple);
        using var learner = new Learner(plan.Program, simple.Recipe, plan.Execution);
        double rate = RecipeModule.learningRate(simple.Recipe);
        using var batch = data.Batches.Epoch(0).First();
        using var scope = NewDisposeScope();
        var tensors = BatchTensors.Of(batch, plan.Device);

        int every = Math.Max(1, steps / Looks);
        for (int step = 0; step <= steps; step++)
        {
            if (step % every == 0 || step == steps)
            {
                var look = Look(learner.Network, tensors, step);
                tell(look);
                if (look.Right == look.Images && look.Loss < LearntRatio * Math.Log(look.Classes))
                    return true;
            }
            stop.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            learner.Network.train();
            learner.Gradients.Begin();
            learner.Gradients.Run(tensors);
            learner.Optimizer.Step(rate);
        }
        return false;
    }

    /// <summary>In evaluation mode: dropout would hide what is learnt.</summary>
    private static BatchLook Look(Network network, BatchTensors batch, int step)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        network.eval();
        var logits = network.forward(batch.Images);
        return new BatchLook(
            step,
            nn.functional.cross_entropy(logits, batch.Labels).item<float>(),
            (int)logits.argmax(1).eq(batch.Labels).sum().item<long>(),
            (int)batch.Count,
            (int)logits.shape[1]
        );
    }
}
