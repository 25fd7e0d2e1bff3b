using CnnSpec.Ir;
using CnnSpec.Runtime.Tests.Networks;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>Learning rates over ten epochs of ten steps.</summary>
public class ScheduleTests
{
    private static double[] Factors(string schedule, string more = "")
    {
        var compilation = Specs.Compiled(
            $"network N {{ input 1 x 8 x 8; flatten; linear(10) }}\ntrain {{ data = mnist(); epochs = 10; schedule = {schedule}; {more} }}"
        );
        Assert.That(compilation.HasErrors, Is.False);
        var recipe = compilation.Networks.Single().Recipes.Single();
        return [.. Enumerable.Range(0, 100).Select(step => RecipeModule.rateFactor(recipe, step, 10))];
    }

    [Test]
    public void Milestones_lower_the_rate_from_the_epoch_they_name()
    {
        double[] factors = Factors("multistep([4, 8], gamma=0.1)");
        Assert.That(factors[39], Is.EqualTo(1));
        Assert.That(factors[40], Is.EqualTo(0.1).Within(1e-12));
        Assert.That(factors[80], Is.EqualTo(0.01).Within(1e-12));
    }

    [Test]
    public void Steps_lower_the_rate_every_so_many_epochs()
    {
        double[] factors = Factors("step(3, gamma=0.5)");
        Assert.That(
            new[] { factors[29], factors[30], factors[60], factors[99] },
            Is.EqualTo(new[] { 1, 0.5, 0.25, 0.125 })
        );
    }

    [Test]
    public void A_cosine_falls_from_one_to_its_end()
    {
        double[] factors = Factors("cosine(final=0.1)");
        Assert.That(factors[0], Is.EqualTo(1));
        Assert.That(factors[50], Is.EqualTo(0.55).Within(1e-12));
        Assert.That(factors[99], Is.EqualTo(0.1).Within(0.001));
        Assert.That(factors, Is.Ordered.Descending);
    }

    [Test]
    public void One_cycle_climbs_then_falls()
    {
        double[] factors = Factors("one_cycle(rise=0.3, start=0.04, final=0.001)");
        Assert.That(factors[0], Is.EqualTo(0.04).Within(1e-12));
        Assert.That(factors[29], Is.EqualTo(1).Within(1e-12));
        Assert.That(factors[..30], Is.Ordered.Ascending);
        Assert.That(factors[29..], Is.Ordered.Descending);
        Assert.That(factors[99], Is.EqualTo(0.001).Within(1e-12));
    }

    [Test]
    public void One_cycle_takes_the_course_of_pytorch()
    {
        // OneCycleLR(max_lr=1, total_steps=100, pct_start=0.3): steps 0, 10, 29, 30, 60 and 99, from PyTorch 1.13.
        double[] factors = Factors("one_cycle");
        double[] pytorch = [0.04, 0.2951639, 1, 0.9994965, 0.5892801, 4e-6];
        int[] steps = [0, 10, 29, 30, 60, 99];
        for (int i = 0; i < steps.Length; i++)
            Assert.That(factors[steps[i]], Is.EqualTo(pytorch[i]).Within(1e-6), $"step {steps[i]}");
    }

    [Test]
    public void A_line_runs_from_its_start_to_its_end()
    {
        double[] factors = Factors("linear(start=0.5, final=0.1)");
        Assert.That(factors[0], Is.EqualTo(0.5));
        Assert.That(factors[25], Is.EqualTo(0.4).Within(1e-12));
        Assert.That(factors[99], Is.EqualTo(0.104).Within(1e-12));
    }

    [Test]
    public void A_plateau_cuts_the_rate_when_pytorch_does()
    {
        // ReduceLROnPlateau(factor=0.5, patience=1, threshold=0.01, cooldown=1, min_lr=0.1) with these losses, PyTorch 1.13.
        double[] losses = [1, 0.9, 0.95, 0.89995, 0.92, 0.93, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.4];
        double[] pytorch = [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125];
        var rule = (Schedule.Plateau)Schedule.NewPlateau(0.5, 1, 0.01, 1, 0.1);
        var wait = new PlateauWait();
        for (int i = 0; i < losses.Length; i++)
        {
            wait = wait.After(rule, losses[i]);
            Assert.That(wait.Factor, Is.EqualTo(pytorch[i]), $"epoch {i + 1}");
        }
        Assert.That(
            wait.After(rule, 1).After(rule, 1).After(rule, 1).After(rule, 1).Factor,
            Is.EqualTo(0.1),
            "the floor"
        );
    }

    [Test]
    public void Stopping_early_counts_epochs_that_are_not_better_by_enough()
    {
        var rule = new EarlyStop(2, 0.01);
        var wait = new StopWait();
        int[] waited =
        [
            .. new[] { 0.5, 0.505, 0.52, 0.51, 0.53, 0.6 }.Select(a => (wait = wait.After(rule, a)).Waited),
        ];
        Assert.That(waited, Is.EqualTo(new[] { 0, 1, 0, 1, 2, 0 }));
    }

    [Test]
    public void Polynomial_of_power_one_is_a_straight_line() =>
        Assert.That(Factors("polynomial()")[25], Is.EqualTo(0.75).Within(1e-12));

    [Test]
    public void Warm_up_climbs_to_the_schedule()
    {
        double[] factors = Factors("constant_rate()", "warmup = 2");
        Assert.That(factors[..21], Is.Ordered.Ascending);
        Assert.That(factors[0], Is.LessThan(0.1));
        Assert.That(factors[20..], Is.All.EqualTo(1));
    }
}
