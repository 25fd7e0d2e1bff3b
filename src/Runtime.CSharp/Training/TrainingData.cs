using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;

namespace CnnSpec.Runtime.Training;

/// <summary>The images of a run: what is trained on, in batches, and what is held out.</summary>
/// <param name="Recipe">The plan's, with what each class weighs in numbers.</param>
/// <param name="Validation">Null where nothing is held out.</param>
/// <param name="Statistics">How pixels are scaled; null where they stay from 0 to 1.</param>
internal sealed record TrainingData(
    Recipe Recipe,
    IImageSource Train,
    BatchLoader? Validation,
    ChannelStatistics? Statistics,
    BatchLoader Batches,
    StepIterator Steps
)
{
    /// <summary>Classes of which one has so many times the images of another are told.</summary>
    private const int Unbalanced = 2;

    /// <summary>Below so many images of each class their accuracy says little.</summary>
    private const int FewToValidate = 5;

    /// <summary>More are not listed one by one.</summary>
    private const int MostListed = 10;

    /// <summary>What a reader of the results must know.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            if (Batches.ImageCount < Train.Count)
                yield return "the last batch of an epoch would be a single image, over which batch_norm has no variance: it is left out";
            if (Validation is { ImageCount: var held } && held < FewToValidate * Train.ClassNames.Count)
                yield return $"{held} image{(held == 1 ? "" : "s")} for {Train.ClassNames.Count} classes validate{(held == 1 ? "s" : "")}: which "
                    + "epoch's weights are kept as best is then chance";
            if (Absent() is { } absent)
                yield return absent;
            if (Imbalance() is { } counts)
                yield return counts;
        }
    }

    /// <exception cref="InputError">The recipe does not fit the images.</exception>
    public static TrainingData Of(TrainingPlan plan)
    {
        TrainedHead.Require(plan.Program, plan.Data);
        var (train, validation) = Halves(plan);
        var recipe = Weighted(plan.Recipe, train);
        if (recipe.EarlyStop is not null && validation is null)
            throw new InputError(
                "stopping early (patience) needs a validation accuracy, and no images are held out",
                "hold some out, as in validation=100, or put them into a folder val beside train and test"
            );
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
            recipe,
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
        ulong seed = (ulong)plan.Recipe.Seed;
        int[] train = [.. Enumerable.Range(0, all.Count)];
        var validation = plan.Data.Validation;
        if (validation is null && plan.Recipe.Data.Validation > 0)
        {
            var split = Split.Hold(all.Count, plan.Recipe.Data.Validation, seed);
            (train, validation) = (split.Train, new Subset(all, split.Validation));
        }
        // What validates is the same however many images train.
        if (plan.Limit is { } limit)
            train = Split.Draw(all, train, limit, seed);
        return (train.Length == all.Count ? all : new Subset(all, train), validation);
    }

    /// <summary>A recipe that balances its classes, with the weights that do so for these images.</summary>
    private static Recipe Weighted(Recipe recipe, IImageSource train)
    {
        if (!recipe.Loss.Balanced)
            return recipe;
        int[] counts = Counts(train);
        double classes = counts.Count(count => count > 0);
        return RecipeModule.withClassWeights(
            counts.Select(count => count == 0 ? 0 : train.Count / (classes * count)),
            recipe
        );
    }

    private static int[] Counts(IImageSource images)
    {
        var counts = new int[images.ClassNames.Count];
        for (int i = 0; i < images.Count; i++)
            counts[images.Label(i)]++;
        return counts;
    }

    /// <summary>Classes that nothing is learnt of, as where few images are drawn.</summary>
    private string? Absent()
    {
        int[] counts = Counts(Train);
        string[] none = [.. Train.ClassNames.Where((_, label) => counts[label] == 0)];
        return none.Length == 0 ? null : $"no training images of {Wording.Listed(none, MostListed)}";
    }

    /// <summary>The classes' numbers of images, where they differ much and the loss does not weigh them.</summary>
    private string? Imbalance()
    {
        if (!Recipe.Loss.ClassWeights.IsEmpty)
            return null;
        var classes = Train
            .ClassNames.Zip(Counts(Train), (name, images) => (name, images))
            .Where(c => c.images > 0)
            .ToArray();
        var (least, most) = (classes.MinBy(c => c.images), classes.MaxBy(c => c.images));
        if (most.images < Unbalanced * least.images)
            return null;
        string counts =
            classes.Length <= MostListed
                ? string.Join(", ", classes.Select(c => $"{c.name} {c.images:N0}"))
                : $"from {least.images:N0} ({least.name}) to {most.images:N0} ({most.name})";
        return $"training images of each class: {counts}; loss = cross_entropy(class_weights=balanced) weighs all classes alike";
    }
}
