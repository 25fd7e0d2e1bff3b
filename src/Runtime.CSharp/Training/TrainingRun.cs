using System.Diagnostics;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Data;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Reports;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>
/// A recipe carried out, from random weights to a tested network, or from a checkpoint on. It prints nothing: it tells.
/// All chance derives from the seed and the place in the run, so a run that goes on from a checkpoint gives the same
/// weights, to the last bit, as one that was never stopped.
/// </summary>
public sealed class TrainingRun(TrainingPlan plan, Action<TrainingEvent> tell)
{
    /// <summary>"step" in ASCII: keeps the network's own chance (dropout) apart from that of the images.</summary>
    private const ulong Purpose = 0x73746570;

    private readonly Recipe _recipe = plan.Recipe;
    private readonly SaveClock _clock = new(plan.SaveEvery);

    /// <summary>Trains, keeps the best weights, tests them once at the end.</summary>
    /// <param name="stop">Ends the run after the batch at hand; it can be resumed from there.</param>
    /// <returns>The test result, or null where the run was stopped.</returns>
    /// <exception cref="InputError">The loss became infinite or not a number, or a checkpoint is damaged.</exception>
    /// <exception cref="EnvironmentError">The disk is full; the checkpoints before are intact.</exception>
    public Evaluation? Execute(CancellationToken stop)
    {
        EngineSetup.Initialise(plan.Threads);
        var data = TrainingData.Of(plan);
        using var learner = new Learner(plan.Program, _recipe, plan.Execution);
        using var checkpoints = new CheckpointFolder(plan.Folder);
        var run = plan.Resume is null ? Begin(learner, data, checkpoints) : GoOn(learner, checkpoints);
        tell(Prepared(run, data, learner.Progress));
        try
        {
            while (learner.Progress.Epoch < _recipe.Epochs && !EndsEarly(learner.Progress))
                TrainEpoch(learner, data, run, checkpoints, stop);
            run.Load(RunFolder.Best, learner.Network);
            var test = Evaluation.Of(learner.Network, Evaluation.Batches(plan.Data.Test, data.Statistics), stop);
            run.SaveTest(test);
            RunReport.Write(run, plan.Data, test);
            return test;
        }
        catch (EnvironmentError e) when (checkpoints.HasAny)
        {
            throw new EnvironmentError(e.Message, $"{e.Help}; then go on with 'cnnspec train --resume {run.Path}'", e);
        }
        catch (OperationCanceledException)
        {
            var at = learner.Progress;
            if (at.Epoch < _recipe.Epochs)
            {
                learner.Save(checkpoints, data.Batches.BatchCount);
                run.Save(RunFolder.Last, learner.Network, at.Epoch);
            }
            tell(new RunStopped(run.Path, at.Epoch, _recipe.Epochs, at.Batch, data.Batches.BatchCount));
            return null;
        }
    }

    /// <summary>Looks whether the network can learn at all, then makes the folder.</summary>
    private RunFolder Begin(Learner learner, TrainingData data, CheckpointFolder checkpoints)
    {
        if (plan.From is { } from)
            tell(new WeightsAdopted(from.Path, learner.Adopt(from)));
        var look = Preflight.Of(learner.Network, data, learner.Objective);
        // Weights that learnt something else before may be sure of themselves, and wrong.
        tell(plan.From is null ? look : look with { IsOff = false });
        RunFolder.RefuseAnother(plan.Folder);
        checkpoints.Occupy();
        checkpoints.Clear();
        // A run killed before its first checkpoint begins anew by the seed, but weights from elsewhere would be lost.
        if (plan.From is not null)
            learner.Save(checkpoints, data.Batches.BatchCount);
        return RunFolder.Create(plan, data.Statistics);
    }

    /// <summary>Puts everything as it was at the checkpoint; without one, at the beginning.</summary>
    private RunFolder GoOn(Learner learner, CheckpointFolder checkpoints)
    {
        checkpoints.Occupy();
        var run = RunFolder.Reopen(plan);
        if (checkpoints.Read(plan.Resume!.Value) is { } checkpoint)
            learner.Restore(checkpoint);
        run.Log.Begin(plan, learner.Progress.Epoch);
        return run;
    }

    /// <summary>Trains on what is left of the epoch, validates, saves.</summary>
    private void TrainEpoch(
        Learner learner,
        TrainingData data,
        RunFolder run,
        CheckpointFolder checkpoints,
        CancellationToken stop
    )
    {
        var progress = learner.Progress;
        double before = progress.Seconds;
        var clock = Stopwatch.StartNew();
        learner.Network.train();
        foreach (var batch in data.Batches.Epoch(progress.Epoch, progress.Batch))
        {
            using var lent = batch;
            LearnFrom(batch, learner, data);
            // Between the batches of one step there is nothing to stop at, or to save.
            if ((batch.Ordinal + 1) % _recipe.Accumulate != 0 && batch.Ordinal + 1 < data.Batches.BatchCount)
                continue;
            Step(learner, batch.Ordinal, data.StepsPerEpoch(_recipe.Accumulate));
            progress.Seconds = before + clock.Elapsed.TotalSeconds;
            tell(StepTaken.From(progress, data.Batches.BatchCount));
            stop.ThrowIfCancellationRequested();
            if (_clock.IsDue)
                _clock.Around(() => learner.Save(checkpoints, data.Batches.BatchCount));
        }

        run.Save(RunFolder.Last, learner.Network, progress.Epoch + 1);
        EpochMetrics metrics;
        using (learner.Average?.Lend())
        {
            var validation = data.Validation is { } held ? Evaluation.Of(learner.Network, held, stop) : null;
            metrics = EpochMetrics.From(progress, validation);
            progress.Judge(_recipe, metrics, out bool isBest);
            if (learner.Average is not null)
                run.Save(RunFolder.LastAverage, learner.Network, metrics.Epoch);
            if (isBest)
                run.Save(RunFolder.Best, learner.Network, metrics.Epoch);
        }
        progress.BeginNextEpoch();
        run.Log.Append(metrics);
        // The checkpoint comes last: whatever a kill cuts short before it is done again.
        _clock.Around(() => learner.Save(checkpoints, data.Batches.BatchCount));
        tell(new EpochEnded(metrics));
        if (EndsEarly(progress))
            tell(new EndedEarly(progress.Epoch, progress.Stop.Waited));
    }

    private bool EndsEarly(Progress progress) =>
        _recipe.EarlyStop is { Value: var rule } && progress.Stop.Waited >= rule.Patience;

    /// <summary>Forward and backward: adds the batch's part to the gradients of the step that it belongs to.</summary>
    private void LearnFrom(Batch batch, Learner learner, TrainingData data)
    {
        using var scope = NewDisposeScope();
        var gradients = learner.Gradients;
        if (batch.Ordinal % _recipe.Accumulate == 0)
            gradients.Begin();
        DrawFrom(learner.Progress.Epoch, batch.Ordinal);
        var figures = gradients.Run(BatchTensors.Of(batch, plan.Device), data.ShareOfStep(batch, _recipe));
        if (!figures.AreFinite)
            throw Diverged(learner, batch, figures.Loss);
        learner.Progress.Count(batch.Count, figures.Loss, figures.Correct);
    }

    /// <summary>Changes the weights by the gradients of one or more batches.</summary>
    private void Step(Learner learner, int lastBatch, int stepsPerEpoch)
    {
        var progress = learner.Progress;
        long step = (long)progress.Epoch * stepsPerEpoch + lastBatch / _recipe.Accumulate;
        progress.LearningRate =
            RecipeModule.learningRate(_recipe)
            * RecipeModule.rateFactor(_recipe, step, stepsPerEpoch)
            * progress.Plateau.Factor;
        learner.Optimizer.Step(progress.LearningRate);
        learner.Average?.Update();
        progress.Batch = lastBatch + 1;
    }

    /// <summary>Seeds the network's own chance for a step.</summary>
    private void DrawFrom(int epoch, int batch)
    {
        var chance = RandomStream.For((ulong)_recipe.Seed, Purpose, (ulong)epoch, (ulong)batch);
        random.manual_seed((long)(chance.NextUInt64() >> 1));
    }

    /// <summary>Looks at the batch again, with the same chance, to say where the numbers were lost.</summary>
    private InputError Diverged(Learner learner, Batch batch, double loss)
    {
        var tensors = BatchTensors.Of(batch, plan.Device);
        DrawFrom(learner.Progress.Epoch, batch.Ordinal);
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

    private RunPrepared Prepared(RunFolder run, TrainingData data, Progress from) =>
        new(
            run.Path,
            data.Train.Count,
            data.Validation?.ImageCount ?? 0,
            plan.Data.Test.Count,
            _recipe.Epochs,
            data.Batches.BatchCount,
            [
                .. new[] { plan.Data.Note, plan.Data.Adaptation, data.LeftOut }.OfType<string>(),
                .. run.Differences(plan.Device.ToString()),
            ],
            plan.Resume is null ? null : (from.Epoch, from.Batch)
        );
}
