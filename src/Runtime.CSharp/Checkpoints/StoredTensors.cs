using System.Runtime.InteropServices;
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

    /// <summary>A new tensor of the stored shape.</summary>
    /// <exception cref="InputError">Values of that type are not read.</exception>
    public static Tensor ToTensor(this StoredTensor stored)
    {
        using var scope = NewDisposeScope();
        // A tensor of no dimensions is viewed as one of one element.
        return stored.Values().view(stored.Shape).MoveToOuterDisposeScope();
    }

    /// <summary>Fills a tensor of the same shape; numbers of another type are converted.</summary>
    /// <exception cref="InputError">Values of that type are not read.</exception>
    public static void CopyTo(this StoredTensor stored, Tensor target)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        target.copy_(stored.ToTensor());
    }

    private static Tensor Values(this StoredTensor stored) =>
        stored.Type switch
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
