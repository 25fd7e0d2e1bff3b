using CnnSpec.Data;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Training;

namespace CnnSpec;

/// <summary>What a program says of a training beside the spec's recipe. What is unset stays as the recipe has it.</summary>
public sealed class TrainerOptions
{
    /// <summary>The run folder, which must hold no run yet.</summary>
    public required string Folder { get; init; }

    /// <summary>The name of a recipe of the spec; null for its first, or without one AdamW for ten epochs.</summary>
    public string? Recipe { get; init; }

    /// <summary>A data set's name (<c>mnist</c>, <c>cifar10</c>, <c>shapes</c>, …) or a folder with a folder of images for each class.</summary>
    public string? Data { get; init; }

    /// <summary>How often all images are seen.</summary>
    public int? Epochs { get; init; }

    /// <summary>Images a step.</summary>
    public int? Batch { get; init; }

    /// <summary>All random numbers derive from it.</summary>
    public long? Seed { get; init; }

    /// <summary>Train on so many images only; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>What activations are kept in.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary><c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</summary>
    public string Device { get; init; } = "cpu";
}

/// <summary>Trains a spec's network by a recipe, as <c>cnnspec train</c> does.</summary>
public static class Trainer
{
    /// <summary>Trains, keeps the best weights, and tests them at the end. The run folder is what <c>cnnspec train</c> leaves.</summary>
    /// <param name="network">From <see cref="Spec.Network"/>.</param>
    /// <param name="options">Where to, and what is changed of the recipe.</param>
    /// <param name="progress">Told of every step and epoch; see <see cref="TrainingEvent"/>.</param>
    /// <param name="cancellation">Ends the run after the step at hand, saved; <c>cnnspec train --resume</c> goes on with it.</param>
    /// <returns>The test result; null where the run was cancelled.</returns>
    /// <exception cref="InputError">The data do not fit the network, or the folder holds a run.</exception>
    /// <exception cref="EnvironmentError">The data set cannot be fetched, or the disk is full.</exception>
    public static Task<Evaluation?> RunAsync(
        SpecNetwork network,
        TrainerOptions options,
        IProgress<TrainingEvent>? progress = null,
        CancellationToken cancellation = default
    ) =>
        Task.Factory.StartNew(
            () => Run(network, options, progress, cancellation),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );

    private static Evaluation? Run(
        SpecNetwork network,
        TrainerOptions options,
        IProgress<TrainingEvent>? progress,
        CancellationToken cancellation
    )
    {
        var given = options.Data is { } name ? DataSources.Named(name) : null;
        var chosen = Choose(network, options.Recipe, given);
        var recipe = SpecNetwork
            .OnData(given ?? DataSources.Rooted(chosen.Data), chosen)
            .With(null!, options.Epochs, options.Batch, options.Seed);
        if (recipe.Data.Classes is { Value: var classes })
            TrainedHead.Require(network.Program, recipe.Data.Title, classes);
        var data = DataSources.Open(recipe.Data, network.Input, recipe.Seed, null, fetch: null, cancellation);
        var plan = new TrainingPlan(
            network.Program,
            recipe,
            data,
            options.Folder,
            (network.Path, network.Text),
            options.Limit
        )
        {
            Precision = options.Precision,
            Device = EngineSetup.Find(options.Device),
            Threads = EngineSetup.Threads,
        };
        return new TrainingRun(plan, one => progress?.Report(one)).Execute(cancellation);
    }

    private static Ir.Recipe Choose(SpecNetwork network, string? name, Ir.DataSource? data) =>
        name is null
            ? network.Recipes.FirstOrDefault()
                ?? SpecNetwork.Fallback(
                    data
                        ?? throw new InputError(
                            $"{network.Name} has no recipe, and nothing says what data to train on",
                            "name a data set or a folder of images"
                        )
                )
            : network.Recipes.FirstOrDefault(recipe => recipe.Name == name)
                ?? throw new InputError(
                    $"{network.Name} has no recipe called {name}",
                    network.Recipes.Count == 0
                        ? "leave the name out"
                        : $"it has {string.Join(", ", network.Recipes.Select(recipe => recipe.Name))}"
                );
}
