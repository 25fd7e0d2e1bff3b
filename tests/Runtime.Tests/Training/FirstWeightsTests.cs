using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Tests.Data;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>A fine-tuned run that is killed at once does not silently begin from random weights when it goes on.</summary>
public class FirstWeightsTests
{
    [Test]
    public void A_run_from_weights_of_elsewhere_can_be_resumed_from_its_first_step()
    {
        const string body = "conv(4, kernel=3); relu; flatten; linear(10)";
        const string recipe = "optimizer = adam(lr=0.01); epochs = 1; batch = 16";
        using var folder = new TestFolder();
        string At(string name) => Path.Combine(folder.Path, name);
        Runs.Execute(Runs.Plan(body, "epochs = 2; batch = 16; seed = 9", At("first")), _ => { });
        var tuning = Runs.Plan(body, recipe, At("whole")) with
        {
            From = new FirstWeights(Path.Combine(At("first"), RunFolder.Last), Partial: false),
        };
        Runs.Execute(tuning, _ => { });

        // Stopped after one batch, and resumed from before it: from the checkpoint that the run began with.
        var stopped = tuning with
        {
            Folder = At("stopped"),
        };
        Assert.That(new TrainingRun(stopped, _ => { }).Execute(new CancellationToken(canceled: true)), Is.Null);
        Runs.Execute(Runs.Plan(body, recipe, At("stopped")) with { Resume = CheckpointChoice.Previous }, _ => { });
        var whole = Runs.Weights(Path.Combine(At("whole"), RunFolder.Last));
        Assert.That(Runs.Distance(whole, Runs.Weights(Path.Combine(At("stopped"), RunFolder.Last))), Is.Zero);
    }
}
