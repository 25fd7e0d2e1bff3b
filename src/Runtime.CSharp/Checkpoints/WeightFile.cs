using System.Runtime.InteropServices;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>A network's weights as a safetensors file, by PyTorch's names.</summary>
public static class WeightFile
{
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written.</exception>
    public static void Write(string path, Network network, Dictionary<string, string> metadata)
    {
        var tensors = new List<KeyValuePair<string, StoredTensor>>();
        foreach (var (name, weight) in network.NamedWeights())
        {
            using var scope = NewDisposeScope();
            using var values = weight.detach().cpu().contiguous();
            byte[] bytes = values.bytes.ToArray();
            tensors.Add(new(name, new StoredTensor(TypeName(weight.dtype), weight.shape, bytes)));
        }
        Safetensors.Write(path, tensors, metadata);
    }

    /// <summary>Fills the network's weights, strictly: every name must be there, with its shape, and no other.</summary>
    /// <exception cref="InputError">The file is missing, damaged or of another network.</exception>
    public static void Load(string path, Network network)
    {
        var (stored, _) = Safetensors.Read(path);
        var problems = new List<string>();
        using var withoutGradient = no_grad();

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
                Copy(tensor, weight);
        }
        problems.AddRange(stored.Keys.Select(name => $"{name} is not in the network"));
        if (problems.Count > 0)
            throw new InputError(
                $"{path} does not fit the network: {string.Join("; ", problems.Take(5))}"
                    + (problems.Count > 5 ? $"; and {problems.Count - 5} more" : ""),
                "use weights of this network, or a spec that names its layers as the file does"
            );
    }

    private static void Copy(StoredTensor stored, Tensor weight)
    {
        using var scope = NewDisposeScope();
        // A tensor of no dimensions is viewed as one of one element.
        var values = stored.Type switch
        {
            "F32" => tensor(MemoryMarshal.Cast<byte, float>(stored.Bytes).ToArray()),
            "F64" => tensor(MemoryMarshal.Cast<byte, double>(stored.Bytes).ToArray()),
            "I64" => tensor(MemoryMarshal.Cast<byte, long>(stored.Bytes).ToArray()),
            "I32" => tensor(MemoryMarshal.Cast<byte, int>(stored.Bytes).ToArray()),
            "BF16" => tensor(Widened(stored.Bytes)),
            "F16" => tensor(
                Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(stored.Bytes).ToArray(), half => (float)half)
            ),
            _ => throw new InputError($"weights of type {stored.Type} are not read", "save them as F32"),
        };
        weight.copy_(values.view(weight.shape));
    }

    /// <summary>bfloat16 is the upper half of a float32.</summary>
    private static float[] Widened(byte[] bytes) =>
        Array.ConvertAll(
            MemoryMarshal.Cast<byte, ushort>(bytes).ToArray(),
            upper => BitConverter.UInt32BitsToSingle((uint)upper << 16)
        );

    private static string TypeName(ScalarType type) =>
        type switch
        {
            ScalarType.Float32 => "F32",
            ScalarType.Float64 => "F64",
            ScalarType.Int64 => "I64",
            ScalarType.BFloat16 => "BF16",
            _ => throw new NotSupportedException($"weights of type {type} are not written"),
        };
}
