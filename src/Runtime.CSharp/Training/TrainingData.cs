using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;

namespace CnnSpec.Runtime.Training;

/// <summary>The images of a run: what is trained on, in batches, and what is held out.</summary>
/// <param name="Validation">Null where nothing is held out.</param>
/// <param name="Statistics">How pixels are scaled; null where they stay from 0 to 1.</param>
internal sealed record TrainingData(
    IImageSource Train,
    BatchLoader? Validation,
    ChannelStatistics? Statistics,
    BatchLoader Batches,
    StepIterator Steps
)
{
    /// <summary>What a reader must know of images that no epoch uses; null where all are used.</summary>
    public string? LeftOut =>
        Batches.ImageCount < Train.Count
            ? "the last batch of an epoch would be a single image, over which batch_norm has no variance: it is left out"
            : null;

    /// <exception cref="InputError">The recipe does not fit the images.</exception>
    public static TrainingData Of(TrainingPlan plan)
    {
        var recipe = plan.Recipe;
        var (train, validation) = Halves(plan);
        var statistics = Scaling.For(recipe.Scaling, plan.Data);
        var options = new BatchOptions
        {
            BatchSize = recipe.Batch,
            Seed = (ulong)recipe.Seed,
            Shuffle = true,
            DropLast = LeavesOutLast(plan.Program, train.Count, recipe.Batch),
            Statistics = statistics,
            Transforms = Augmentations.OfImages(recipe.Augment, plan.Data),
            BatchTransform = Augmentations.OfBatches(recipe.Augment),
        };
        var batches = new BatchLoader(train, options);
        return new TrainingData(
            train,
            validation is null ? null : Evaluator.Batches(validation, statistics),
            statistics,
            batches,
            new StepIterator(batches, recipe)
        );
    }

    /// <summary>Whether the last batch would be a single image whose normalisation has no variance: over one value it is 0/0,
    /// which would spoil the running statistics for good.</summary>
    private static bool LeavesOutLast(Program program, int images, int batch) =>
        images % batch == 1
        && images > 1
        && program.Nodes.Any(node => node.Op.IsBatchNorm && node.Shape.Skip(1).All(size => size == 1));

    private static (IImageSource Train, IImageSource? Validation) Halves(TrainingPlan plan)
    {
        var all = plan.Data.Train;
        if (plan.Recipe.Data.Validation == 0)
            return (plan.Limit is { } first ? Subset.First(all, first) : all, null);
        // What validates is the same however many images train.
        var split = Split.Hold(all.Count, plan.Recipe.Data.Validation, (ulong)plan.Recipe.Seed);
        int[] train = plan.Limit is { } limit ? [.. split.Train.Take(limit)] : split.Train;
        return (new Subset(all, train), new Subset(all, split.Validation));
    }
}
