using System.Text.Json;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Checkpoints.Import;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>Everything that training changes: the weights, the optimizer's memory, how far it is. It can be put into a
/// checkpoint and taken out again, after which training goes on to the same bits.</summary>
internal sealed class Learner : IDisposable
{
    private const string Weights = "network/";
    private const string Memory = "optimizer/";
    private const string Averages = "average/";
    private const string ProgressNote = "progress";

    /// <summary>First weights are drawn by the recipe's seed.</summary>
    public Learner(Program program, Recipe recipe, Execution execution)
    {
        Network = Network.Initial(program, recipe.Seed, execution);
        Optimizer = new RecipeOptimizer(recipe, Network);
        Objective = new Objective(program, recipe);
        Gradients = new GradientPass(Network, Objective, Optimizer);
        if (recipe.AverageDecay is { Value: var decay })
            Average = new WeightAverage(Network, decay);
    }

    public Network Network { get; }
    public RecipeOptimizer Optimizer { get; }
    public Objective Objective { get; }

    /// <summary>Gives the optimizer its gradients, batch by batch.</summary>
    public GradientPass Gradients { get; }

    /// <summary>Null where the recipe asks for none.</summary>
    public WeightAverage? Average { get; }
    public Progress Progress { get; private set; } = new();

    /// <summary>Begins from weights of a file.</summary>
    /// <exception cref="InputError">They are damaged, or of another network.</exception>
    public WeightMatch Adopt(FirstWeights from) =>
        from.Partial
            ? WeightFile.LoadMatching(from.Path, Network)
            : WeightFile.Fill(from.Path, WeightSource.Read(from.Path), Network);

    public void Save(CheckpointFolder checkpoints, int batchesPerEpoch) =>
        checkpoints.Write(
            (long)Progress.Epoch * batchesPerEpoch + Progress.Batch,
            [
                .. Network
                    .NamedWeights()
                    .Select(w => KeyValuePair.Create(Weights + w.Name, StoredTensors.Of(w.Tensor))),
                .. Optimizer.Memory().Select(entry => KeyValuePair.Create(Memory + entry.Key, entry.Value)),
                .. (Average?.State() ?? []).Select(entry => KeyValuePair.Create(Averages + entry.Key, entry.Value)),
            ],
            new Dictionary<string, string> { [ProgressNote] = Progress.ToJson() }
        );

    /// <exception cref="InputError">The checkpoint is of another network or recipe.</exception>
    public void Restore(Checkpoint checkpoint)
    {
        WeightFile.Fill(checkpoint.Path, Part(checkpoint, Weights), Network);
        Optimizer.Restore(Part(checkpoint, Memory));
        Average?.Restore(Part(checkpoint, Averages));
        try
        {
            Progress = Progress.FromJson(checkpoint.Metadata.GetValueOrDefault(ProgressNote, ""));
        }
        catch (JsonException e)
        {
            throw new InputError($"{checkpoint.Path} does not say how far the run was", "use another checkpoint", e);
        }
    }

    private static Dictionary<string, StoredTensor> Part(Checkpoint checkpoint, string prefix) =>
        checkpoint
            .Tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);

    public void Dispose()
    {
        Average?.Dispose();
        Optimizer.Dispose();
        Network.Dispose();
    }
}
