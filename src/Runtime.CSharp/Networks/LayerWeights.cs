using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>The weights of one layer of the spec, by PyTorch's names.</summary>
internal sealed class LayerWeights(string path, IReadOnlyDictionary<string, Tensor> byName)
{
    public static readonly LayerWeights None = new("", new Dictionary<string, Tensor>());

    public string Path => path;

    public IEnumerable<Tensor> All => byName.Values;

    public bool IsEmpty => byName.Count == 0;

    /// <summary><c>weight</c> of a layer that always has one.</summary>
    public Tensor Weight => byName["weight"];

    /// <summary><c>weight</c> of a normalisation, which may have none.</summary>
    public Tensor? Scale => byName.GetValueOrDefault("weight");

    public Tensor? Bias => byName.GetValueOrDefault("bias");

    public Tensor RunningMean => byName["running_mean"];

    public Tensor RunningVariance => byName["running_var"];

    /// <summary><c>num_batches_tracked</c>.</summary>
    public Tensor BatchesSeen => byName["num_batches_tracked"];

    /// <summary>The same in another type; the tensors belong to the scope that is open.</summary>
    public LayerWeights To(ScalarType type) =>
        byName.Values.All(weight => weight.dtype == type)
            ? this
            : new(path, byName.ToDictionary(entry => entry.Key, entry => entry.Value.to(type)));

    /// <summary>Of a convolution that is made anew for evaluation.</summary>
    public static LayerWeights Of(string path, Tensor weight, Tensor? bias)
    {
        var byName = new Dictionary<string, Tensor> { ["weight"] = weight };
        if (bias is not null)
            byName["bias"] = bias;
        return new(path, byName);
    }
}
