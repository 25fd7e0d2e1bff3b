using CnnSpec.Data;
using CnnSpec.Runtime.Tests.Data;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Tests.Training;

public class TrainingDataTests
{
    [Test]
    public void A_limit_takes_from_what_trains_and_leaves_what_validates()
    {
        var plan = Runs.Plan("flatten; linear(10)", "batch = 8", "unused");
        var whole = TrainingData.Of(plan);
        var few = TrainingData.Of(plan with { Limit = 10 });
        Assert.That((whole.Train.Count, few.Train.Count), Is.EqualTo((128, 10)));
        Assert.That(Pixels(few.Validation!.Source), Is.EqualTo(Pixels(whole.Validation!.Source)));
        // Ten classes, ten images: one of each, wherever they stand.
        Assert.That(Labels(few.Train).Order(), Is.EqualTo(Enumerable.Range(0, 10)));
        Assert.That(Pixels(few.Train), Is.SubsetOf(Pixels(whole.Train)));
        Assert.That(Pixels(TrainingData.Of(plan with { Limit = 10 }).Train), Is.EqualTo(Pixels(few.Train)));
    }

    /// <summary>A folder's images stand class by class, so its first ones are of one class alone.</summary>
    [Test]
    public void A_draw_from_sorted_images_keeps_each_class_in_its_share()
    {
        int[] labels = [.. Enumerable.Repeat(0, 60), .. Enumerable.Repeat(1, 30), .. Enumerable.Repeat(2, 10)];
        var shape = new ImageShape(1, 1, 1);
        var source = new MemoryImages(new byte[100], labels, shape, ["a", "b", "c"]);
        int[] all = [.. Enumerable.Range(0, 100)];
        int[] Counts(int limit) =>
            [.. Split.Draw(source, all, limit, 3).GroupBy(source.Label).OrderBy(g => g.Key).Select(g => g.Count())];
        Assert.That(Counts(20), Is.EqualTo(new[] { 12, 6, 2 }));
        Assert.That(Counts(33), Is.EqualTo(new[] { 20, 10, 3 }));
        Assert.That(Counts(100), Is.EqualTo(new[] { 60, 30, 10 }));
        Assert.That(Counts(4), Is.EqualTo(new[] { 2, 1, 1 }), "the rare class keeps an image");
        Assert.That(Split.Draw(source, all, 20, 3), Is.Ordered.And.Unique);
        Assert.That(Split.Draw(source, all, 20, 4), Is.Not.EqualTo(Split.Draw(source, all, 20, 3)));
    }

    [Test]
    public void Balanced_class_weights_are_those_of_the_training_images()
    {
        var plan = Runs.Plan(
            "flatten; linear(10)",
            "batch = 8; loss = cross_entropy(class_weights=balanced)",
            "unused"
        );
        var data = TrainingData.Of(plan);
        int[] counts = [.. Enumerable.Range(0, 10).Select(label => Labels(data.Train).Count(one => one == label))];
        Assert.That(counts.Distinct().Count(), Is.GreaterThan(1), "the split leaves the classes unequal");
        Assert.That(
            data.Recipe.Loss.ClassWeights,
            Is.EqualTo(counts.Select(count => 128.0 / (10 * count))).Within(1e-12)
        );
        Assert.That(data.Recipe.Loss.Balanced, Is.False);
    }

    [Test]
    public void Stopping_early_without_images_to_validate_is_refused()
    {
        var plan = Runs.Plan("flatten; linear(10)", "batch = 8; patience = 2", "unused");
        var without = plan with
        {
            Recipe = plan.Recipe.With(new Ir.DataSource("shapes", "", 0, 150, 20, 10), null, null, null),
        };
        Assert.That(() => TrainingData.Of(without), Throws.TypeOf<InputError>().With.Message.Contains("patience"));
        var own = without with { Data = plan.Data with { Validation = plan.Data.Test } };
        Assert.That(TrainingData.Of(own).Validation!.ImageCount, Is.EqualTo(20));
    }

    [TestCase(9)]
    [TestCase(11)]
    public void A_head_of_another_width_than_the_data_is_refused(int outputs)
    {
        var plan = Runs.Plan("flatten; linear(10)", "batch = 8", "unused");
        var program = Networks.Specs.Program($"network N {{ input 1 x 10 x 14; flatten; linear({outputs}) }}");
        Assert.That(
            () => TrainingData.Of(plan with { Program = program }),
            Throws
                .TypeOf<InputError>()
                .With.Message.EqualTo($"shapes has 10 classes, and the network's head gives {outputs} outputs")
        );
    }

    private static int[] Labels(IImageSource source) => [.. Enumerable.Range(0, source.Count).Select(source.Label)];

    private static byte[][] Pixels(IImageSource source) =>
        [.. Enumerable.Range(0, source.Count).Select(index => TestImages.Read(source, index))];
}
