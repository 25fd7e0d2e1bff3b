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

    /// <summary>Fills the network's weights, strictly: every name must be there, with its shape, and no other.</summary>
    /// <exception cref="InputError">The file is missing, damaged or of another network.</exception>
    public static void Load(string path, Network network) => Fill(path, Safetensors.Read(path).Tensors, network);

    /// <summary>Fills the network's weights from tensors of a file, strictly.</summary>
    /// <exception cref="InputError">They are of another network.</exception>
    internal static void Fill(string path, Dictionary<string, StoredTensor> stored, Network network)
    {
        var problems = new List<string>();
        foreach (var (name, weight) in network.NamedWeights())
        {
            if (!stored.Remove(name, out var tensor))
            {
                // Files of older PyTorch versions lack the counter, which changes nothing.
                if (!name.EndsWith(".num_batches_tracked"))
                    problems.Add($"{name} is missing");
            }
            else if (!tensor.Shape.AsSpan().SequenceEqual(weight.shape))
                problems.Add(
                    $"{name} is [{string.Join(", ", tensor.Shape)}], the network's is [{string.Join(", ", weight.shape)}]"
                );
            else
                tensor.CopyTo(weight);
        }
        problems.AddRange(stored.Keys.Select(name => $"{name} is not in the network"));
        if (problems.Count > 0)
            throw new InputError(
                $"{path} does not fit the network: {string.Join("; ", problems.Take(5))}"
                    + (problems.Count > 5 ? $"; and {problems.Count - 5} more" : ""),
                "use weights of this network, or a spec that names its layers as the file does"
            );
    }
}
