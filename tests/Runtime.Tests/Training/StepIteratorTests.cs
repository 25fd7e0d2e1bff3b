using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>Which batches make a step, and what each counts in it: wrong, and a resumed run gives other weights.</summary>
public class StepIteratorTests
{
    private const string Body = "conv(2, kernel=3); relu; global_avg_pool; flatten; linear(10)";

    private static List<(int Batch, double Share, bool Begins, bool Ends, long Step)> Parts(
        string recipe,
        int epoch = 0,
        int start = 0
    )
    {
        var steps = TrainingData.Of(Runs.Plan(Body, recipe, "unused")).Steps;
        var parts = new List<(int, double, bool, bool, long)>();
        foreach (var part in steps.Epoch(epoch, start))
        {
            using var batch = part.Batch;
            parts.Add((batch.Ordinal, (double)batch.Count / part.ImagesOfStep, part.Begins, part.Ends, part.Step));
        }
        return parts;
    }

    [TestCase("batch = 30; accumulate = 3")]
    [TestCase("batch = 32; accumulate = 1")]
    [TestCase("batch = 17; accumulate = 4")]
    public void The_shares_of_a_step_are_one_and_steps_follow_each_other(string recipe)
    {
        var parts = Parts(recipe);
        foreach (var step in parts.GroupBy(part => part.Step))
        {
            Assert.That(step.Sum(part => part.Share), Is.EqualTo(1).Within(1e-12));
            Assert.That(step.Count(part => part.Begins), Is.EqualTo(1));
            Assert.That(step.First().Begins && step.Last().Ends, Is.True);
            Assert.That(step.Count(part => part.Ends), Is.EqualTo(1));
        }
        int perEpoch = parts.Select(part => part.Step).Distinct().Count();
        Assert.That(parts[^1].Step, Is.EqualTo(perEpoch - 1));
        Assert.That(Parts(recipe, epoch: 2)[0].Step, Is.EqualTo(2 * perEpoch));
    }

    [Test]
    public void From_the_middle_of_an_epoch_the_parts_are_those_of_the_whole()
    {
        var whole = Parts("batch = 16; accumulate = 2", epoch: 1);
        Assert.That(Parts("batch = 16; accumulate = 2", epoch: 1, start: 2), Is.EqualTo(whole.Skip(2)));
    }
}
