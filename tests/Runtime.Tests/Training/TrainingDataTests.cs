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
        Assert.That(Pixels(few.Train), Is.EqualTo(Pixels(whole.Train).Take(10)));
    }

    private static byte[][] Pixels(IImageSource source) =>
        [.. Enumerable.Range(0, source.Count).Select(index => TestImages.Read(source, index))];
}
