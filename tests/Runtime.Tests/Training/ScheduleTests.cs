using CnnSpec.Ir;
using CnnSpec.Runtime.Tests.Networks;

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
        Assert.That(factors[30], Is.EqualTo(1).Within(1e-12));
        Assert.That(factors[..31], Is.Ordered.Ascending);
        Assert.That(factors[30..], Is.Ordered.Descending);
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
