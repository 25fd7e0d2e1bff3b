using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Reports;
using CnnSpec.Runtime.Runs;

namespace CnnSpec.Runtime.Training;

/// <summary>
/// A recipe run, from random weights to a tested network, or from a checkpoint on. It prints nothing: it tells.
/// All random numbers derive from the seed and the place in the run, so a run that goes on from a checkpoint gives the same
/// weights, to the last bit, as one that was never stopped.
/// </summary>
public sealed class TrainingRun(TrainingPlan plan, Action<TrainingEvent> tell)
{
    private readonly Recipe _recipe = plan.Recipe;
    private readonly SaveClock _clock = new(plan.SaveEvery);

    /// <summary>Trains, keeps the best weights, tests them once at the end.</summary>
    /// <param name="stop">Ends the run after the step at hand; it can be resumed from there.</param>
    /// <returns>The test result, or null where the run was stopped.</returns>
    /// <exception cref="InputError">The loss became infinite or not a number, or a checkpoint is damaged.</exception>
    /// <exception cref="EnvironmentError">The disk is full; the checkpoints before are intact.</exception>
    public Evaluation? Execute(CancellationToken stop)
    {
        EngineSetup.Initialise(plan.Threads);
        if (plan.Resume is not null)
            RunFolder.Open(plan.Folder).RequireSame(plan.Data);
        var data = TrainingData.Of(plan);
        using var learner = new Learner(plan.Program, data.Recipe, plan.Execution);
        using var checkpoints = new CheckpointFolder(plan.Folder);
        var run = plan.Resume is null ? Begin(learner, data, checkpoints) : GoOn(learner, checkpoints);
        var log = new RunLog(run, learner.Progress.Epoch, plan.Samples());
        tell(Prepared(run, data, learner.Progress));

        void Save() => learner.Save(checkpoints, data.Batches.BatchCount);
        var epoch = new TrainingEpoch(learner, data, _recipe, _clock, Save, tell);
        try
        {
            while (learner.Progress.Epoch < _recipe.Epochs && !EndsEarly(learner.Progress))
            {
                epoch.Run(stop);
                var metrics = EndEpoch(learner, data, run, log, stop);
                // The checkpoint comes last: whatever a kill cuts short before it is done again.
                _clock.Around(Save);
                tell(new EpochEnded(metrics));
                if (EndsEarly(learner.Progress))
                    tell(new EndedEarly(learner.Progress.Epoch, learner.Progress.Stop.Waited));
            }
            return TestBest(learner, data, run, log, stop);
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
                Save();
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
        // Weights that were trained on something else may be confident, and wrong.
        tell(plan.From is null ? look : look with { IsOff = false });
        RunFolder.RefuseAnother(plan.Folder);
        checkpoints.Lock();
        checkpoints.Clear();
        // A run killed before its first checkpoint begins anew by the seed, but weights from elsewhere would be lost.
        if (plan.From is not null)
            learner.Save(checkpoints, data.Batches.BatchCount);
        return RunFolder.Create(plan.Folder, plan.Describe(data.Statistics), plan.Spec.Text);
    }

    /// <summary>Puts everything as it was at the checkpoint; without one, at the beginning.</summary>
    private RunFolder GoOn(Learner learner, CheckpointFolder checkpoints)
    {
        checkpoints.Lock();
        var run = RunFolder.Reopen(plan.Folder, _recipe, plan.Data);
        if (checkpoints.Read(plan.Resume!.Value) is { } checkpoint)
        {
            learner.Restore(checkpoint);
            run.Metrics.Require(learner.Progress.Epoch, learner.Progress.MetricsSha256);
        }
        return run;
    }

    /// <summary>Validates, and keeps the weights: the last, and the best.</summary>
    private EpochMetrics EndEpoch(Learner learner, TrainingData data, RunFolder run, RunLog log, CancellationToken stop)
    {
        var progress = learner.Progress;
        run.Save(RunFolder.Last, learner.Network, progress.Epoch + 1);
        EpochMetrics metrics;
        using (learner.Average?.Lend())
        {
            var validation = data.Validation is { } held ? Evaluator.Evaluate(learner.Network, held, stop) : null;
            metrics = progress.Metrics(validation);
            progress.Judge(_recipe, metrics, out bool isBest);
            if (learner.Average is not null)
                run.Save(RunFolder.LastAverage, learner.Network, metrics.Epoch);
            if (isBest)
                run.Save(RunFolder.Best, learner.Network, metrics.Epoch);
        }
        progress.BeginNextEpoch();
        log.Append(metrics);
        progress.MetricsSha256 = run.Metrics.Sha256(progress.Epoch);
        return metrics;
    }

    private Evaluation TestBest(Learner learner, TrainingData data, RunFolder run, RunLog log, CancellationToken stop)
    {
        run.Load(RunFolder.Best, learner.Network);
        var test = Evaluator.Evaluate(learner.Network, Evaluator.Batches(plan.Data.Test, data.Statistics), stop);
        run.SaveTest(test);
        log.End(test);
        RunReport.Write(run, plan.Data, test);
        return test;
    }

    private bool EndsEarly(Progress progress) =>
        _recipe.EarlyStop is { Value: var rule } && progress.Stop.Waited >= rule.Patience;

    private RunPrepared Prepared(RunFolder run, TrainingData data, Progress from) =>
        new(
            run.Path,
            data.Train.Count,
            data.Validation?.ImageCount ?? 0,
            plan.Data.Test.Count,
            _recipe.Epochs,
            data.Batches.BatchCount,
            [
                .. plan.Data.Notes,
                .. plan.Data.Adaptation is { } adaptation ? [adaptation] : Array.Empty<string>(),
                .. data.Notes,
                .. run.Differences(plan.Device.ToString()),
            ],
            plan.Resume is null ? null : (from.Epoch, from.Batch)
        );
}
