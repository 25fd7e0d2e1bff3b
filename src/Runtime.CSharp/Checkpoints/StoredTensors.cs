using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>Between the engine's tensors and what files hold.</summary>
internal static class StoredTensors
{
    /// <summary>A copy of the tensor's values, from whatever device.</summary>
    public static StoredTensor Of(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var values = tensor.detach().cpu().contiguous();
        return new StoredTensor(TypeName(tensor.dtype), tensor.shape, values.bytes.ToArray());
    }

    /// <summary>A new tensor of the stored shape and type.</summary>
    /// <exception cref="InputError">Values of that type are not read.</exception>
    public static Tensor ToTensor(this StoredTensor stored)
    {
        var type = Types.FirstOrDefault(known => known.Value == stored.Type);
        if (type.Value is null)
            throw new InputError($"weights of type {stored.Type} are not read", "save them as F32");
        var made = empty(stored.Shape, dtype: type.Key);
        stored.Bytes.Span.CopyTo(made.bytes);
        return made;
    }

    /// <summary>Fills a tensor of the same shape; numbers of another type are converted.</summary>
    /// <exception cref="InputError">Values of that type are not read.</exception>
    public static void CopyTo(this StoredTensor stored, Tensor target)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        target.copy_(stored.ToTensor());
    }

    private static string TypeName(ScalarType type) =>
        Types.TryGetValue(type, out string? name)
            ? name
            : throw new NotSupportedException($"weights of type {type} are not written");

    private static readonly Dictionary<ScalarType, string> Types = new()
    {
        [ScalarType.Float32] = "F32",
        [ScalarType.Float64] = "F64",
        [ScalarType.Float16] = "F16",
        [ScalarType.BFloat16] = "BF16",
        [ScalarType.Int64] = "I64",
        [ScalarType.Int32] = "I32",
    };
}
