using System.Diagnostics;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Data;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>A recipe carried out, from random weights to a tested network. It prints nothing: it tells.</summary>
public sealed class TrainingRun(TrainingPlan plan, Action<TrainingEvent> tell)
{
    private readonly Recipe _recipe = plan.Recipe;

    /// <summary>Trains, keeps the best weights, tests them once at the end.</summary>
    /// <param name="stop">Ends the run after the batch at hand; the weights so far are saved.</param>
    /// <returns>The test result, or null where the run was stopped.</returns>
    /// <exception cref="InputError">The loss became infinite or not a number.</exception>
    public Evaluation? Execute(CancellationToken stop)
    {
        EngineSetup.Initialise();
        random.manual_seed(_recipe.Seed);
        using var network = new Network(plan.Program);
        using var optimizer = Optimizers.Create(_recipe.Optimizer, network);
        var (train, validation) = SplitTraining();
        var statistics = Scaling.For(_recipe.Scaling, plan.Data);
        var batches = new BatchLoader(
            train,
            new BatchOptions
            {
                BatchSize = _recipe.Batch,
                Seed = (ulong)_recipe.Seed,
                Shuffle = true,
                Statistics = statistics,
                Transforms = Augmentations.OfImages(_recipe.Augment, plan.Data),
                BatchTransform = Augmentations.OfBatches(_recipe.Augment),
            }
        );
        var run = RunFolder.Create(plan, statistics);
        tell(Prepared(run, train, validation, batches));

        double best = double.NegativeInfinity;
        for (int epoch = 0; epoch < _recipe.Epochs; epoch++)
        {
            var metrics = TrainEpoch(network, optimizer, batches, epoch, stop);
            bool whole = !stop.IsCancellationRequested;
            run.Save(RunFolder.Last, network, whole ? epoch + 1 : epoch);
            if (!whole)
                return null;
            if (validation is not null)
                metrics = metrics with { ValidationAccuracy = Evaluation.Of(network, validation, statistics).Accuracy };
            run.Append(metrics);
            if (metrics.ValidationAccuracy is not { } accuracy || accuracy > best)
            {
                best = metrics.ValidationAccuracy ?? best;
                run.Save(RunFolder.Best, network, epoch + 1);
            }
            tell(new EpochEnded(metrics));
        }

        run.Load(RunFolder.Best, network);
        var test = Evaluation.Of(network, plan.Data.Test, statistics);
        run.SaveTest(test);
        return test;
    }

    private EpochMetrics TrainEpoch(
        Network network,
        optim.Optimizer optimizer,
        BatchLoader batches,
        int epoch,
        CancellationToken stop
    )
    {
        network.train();
        var clock = Stopwatch.StartNew();
        double loss = 0;
        double rate = 0;
        long correct = 0;
        int seen = 0;

        foreach (var batch in batches.Epoch(epoch))
        {
            using var lent = batch;
            using var scope = NewDisposeScope();
            long step = (long)epoch * batches.BatchCount + batch.Ordinal;
            rate = RecipeModule.learningRate(_recipe) * RecipeModule.rateFactor(_recipe, step, batches.BatchCount);
            optimizer.SetRate(rate);

            var (images, labels) = batch.ToTensors();
            optimizer.zero_grad();
            var outputs = network.ForwardWithHeads(images);
            var batchLoss = Loss(outputs, labels, batch.Mixing);
            batchLoss.backward();
            optimizer.step();

            double value = batchLoss.item<float>();
            if (!double.IsFinite(value))
                throw new InputError(
                    $"the loss is {value} in epoch {epoch + 1}, step {batch.Ordinal + 1}",
                    "lower the learning rate (--lr) or add a warm-up"
                );
            loss += value * batch.Count;
            correct += outputs[0].argmax(1).eq(labels).sum().item<long>();
            seen += batch.Count;
            tell(
                new StepTaken(
                    epoch,
                    batch.Ordinal + 1,
                    batches.BatchCount,
                    loss / seen,
                    (double)correct / seen,
                    seen / clock.Elapsed.TotalSeconds
                )
            );
            if (stop.IsCancellationRequested)
                break;
        }

        double seconds = clock.Elapsed.TotalSeconds;
        return new EpochMetrics(epoch + 1, loss / seen, (double)correct / seen, null, rate, seen / seconds, seconds);
    }

    /// <summary>The head's loss and, weighted, that of each auxiliary head.</summary>
    private Tensor Loss(Tensor[] outputs, Tensor labels, LabelMixing? mixing)
    {
        var loss = CrossEntropy(outputs[0], labels, mixing);
        int head = 1;
        foreach (var auxiliary in plan.Program.AuxiliaryHeads)
            loss = loss.add(CrossEntropy(outputs[head++], labels, mixing).mul(auxiliary.LossWeight));
        return loss;
    }

    /// <summary>Mean cross-entropy; of mixed images that of both labels, each by its share.</summary>
    private Tensor CrossEntropy(Tensor logits, Tensor labels, LabelMixing? mixing)
    {
        double smoothing = _recipe.LabelSmoothing;
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

    private (IImageSource Train, IImageSource? Validation) SplitTraining()
    {
        var all = plan.Limit is { } limit ? Subset.First(plan.Data.Train, limit) : plan.Data.Train;
        if (_recipe.Data.Validation == 0)
            return (all, null);
        var split = Split.Hold(all.Count, _recipe.Data.Validation, (ulong)_recipe.Seed);
        return (new Subset(all, split.Train), new Subset(all, split.Validation));
    }

    private RunPrepared Prepared(RunFolder run, IImageSource train, IImageSource? validation, BatchLoader batches) =>
        new(
            run.Path,
            train.Count,
            validation?.Count ?? 0,
            plan.Data.Test.Count,
            _recipe.Epochs,
            batches.BatchCount,
            [.. new[] { plan.Data.Note, plan.Data.Adaptation }.OfType<string>()]
        );
}
