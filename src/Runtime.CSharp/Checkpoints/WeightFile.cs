using CnnSpec.Runtime.Checkpoints.Import;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>A network's weights as a safetensors file, by PyTorch's names.</summary>
public static class WeightFile
{
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written.</exception>
    public static void Write(string path, Network network, Dictionary<string, string> metadata) =>
        Safetensors.Write(
            path,
            [
                .. network
                    .NamedWeights()
                    .Select(weight => KeyValuePair.Create(weight.Name, StoredTensors.Of(weight.Tensor))),
            ],
            metadata
        );

    /// <summary>Fills the network's weights from a file of any known kind, strictly: every name must be there, with its
    /// shape, and no other.</summary>
    /// <exception cref="InputError">The file is missing, damaged or of another network.</exception>
    public static WeightMatch Load(string path, Network network) => Fill(path, WeightSource.Read(path), network);

    /// <summary>The same from a file of a run, which carries a checksum.</summary>
    /// <inheritdoc cref="Load"/>
    public static void LoadOwn(string path, Network network) => Fill(path, Safetensors.ReadOwn(path).Tensors, network);

    /// <summary>Fills the weights that the file has with their names and shapes, and leaves the others as they began.</summary>
    /// <exception cref="InputError">The file is missing or damaged, or has none of the network's weights.</exception>
    public static WeightMatch LoadMatching(string path, Network network)
    {
        var match = Match(WeightSource.Read(path), network);
        if (match.Matched.Count > 0)
            return match;
        throw match.OtherShape.Count > 0
            ? new InputError(
                $"no weight in {path} has the network's shape: {string.Join("; ", match.OtherShape.Take(3))}"
                    + (match.OtherShape.Count > 3 ? $"; and {match.OtherShape.Count - 3} more" : ""),
                "use weights of a network of these sizes, or give the spec the sizes of the file"
            )
            : new InputError(
                $"none of the weights in {path} is one of the network's",
                $"the file has {string.Join(", ", match.Unexpected.Take(3))}; the network {string.Join(", ", match.Missing.Take(3))}"
            );
    }

    /// <summary>Fills the network's weights from tensors of a file, strictly.</summary>
    /// <exception cref="InputError">They are of another network.</exception>
    internal static WeightMatch Fill(string path, Dictionary<string, StoredTensor> stored, Network network)
    {
        var match = Match(stored, network);
        string[] problems =
        [
            .. match.Missing.Select(name => $"{name} is missing"),
            .. match.OtherShape,
            .. match.Unexpected.Select(name => $"{name} is not in the network"),
        ];
        return problems.Length == 0
            ? match
            : throw new InputError(
                $"{path} does not fit the network: {string.Join("; ", problems.Take(5))}"
                    + (problems.Length > 5 ? $"; and {problems.Length - 5} more" : ""),
                "use weights of this network, or a spec that names its layers as the file does"
            );
    }

    private static bool IsFinite(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return weight.isfinite().all().item<bool>();
    }

    private static WeightMatch Match(Dictionary<string, StoredTensor> stored, Network network)
    {
        var unexpected = stored.Keys.ToHashSet();
        var match = new WeightMatch([], [], [], [], []);
        foreach (var (name, weight) in network.NamedWeights())
        {
            unexpected.Remove(name);
            if (!stored.TryGetValue(name, out var tensor))
            {
                // Files of older PyTorch versions lack the counter, which changes nothing.
                if (!name.EndsWith(".num_batches_tracked"))
                    match.Missing.Add(name);
            }
            else if (!tensor.Shape.AsSpan().SequenceEqual(weight.shape))
                match.OtherShape.Add(
                    $"{name} is [{string.Join(", ", tensor.Shape)}], the network's is [{string.Join(", ", weight.shape)}]"
                );
            else
            {
                tensor.CopyTo(weight);
                match.Matched.Add(name);
                if (!IsFinite(weight))
                    match.NotFinite.Add(name);
            }
        }
        match.Unexpected.AddRange(unexpected.Order(StringComparer.Ordinal));
        return match;
    }
}

/// <summary>What a file of weights gave to a network.</summary>
/// <param name="Matched">Weights that the file has, with their shapes.</param>
/// <param name="Missing">Weights of the network that the file lacks.</param>
/// <param name="OtherShape">Weights of other shapes, with both.</param>
/// <param name="Unexpected">Weights of the file that the network has not.</param>
/// <param name="NotFinite">Weights that were taken though numbers in them are infinite or none (NaN).</param>
public sealed record WeightMatch(
    List<string> Matched,
    List<string> Missing,
    List<string> OtherShape,
    List<string> Unexpected,
    List<string> NotFinite
);
