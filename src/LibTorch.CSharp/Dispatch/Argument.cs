using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>What an <see cref="Argument"/> holds; the numbers are <c>CnnspecTag</c>'s in Abi.h.</summary>
internal enum ArgumentTag : byte
{
    None = 0,
    Tensor = 1,
    Int = 2,
    Double = 3,
    Bool = 4,
    IntList = 5,
    DoubleList = 6,
    BoolList = 7,
    TensorList = 8,
    String = 9,
    Device = 10,
    Generator = 11,
}

/// <summary>
/// One argument of an operator. It converts from whatever operators take, so a call reads as its schema does:
/// <c>op.Call(input, weight, null, strides, 1L, true)</c>. It owns nothing and allocates nothing.
/// </summary>
public readonly struct Argument
{
    internal readonly object? Reference;
    internal readonly long Bits;
    internal readonly ArgumentTag Tag;

    private Argument(ArgumentTag tag, object? reference, long bits = 0)
    {
        Tag = reference is null && bits == 0 && !IsNumber(tag) ? ArgumentTag.None : tag;
        Reference = reference;
        Bits = bits;
    }

    private static bool IsNumber(ArgumentTag tag) =>
        tag is ArgumentTag.Int or ArgumentTag.Double or ArgumentTag.Bool or ArgumentTag.Device;

    /// <summary>An absent optional argument. A null reference converts to it, too.</summary>
    public static Argument None => default;

    public static implicit operator Argument(Tensor? value) => new(ArgumentTag.Tensor, value);

    public static implicit operator Argument(long value) => new(ArgumentTag.Int, null, value);

    public static implicit operator Argument(long? value) => value is { } number ? number : None;

    public static implicit operator Argument(double value) =>
        new(ArgumentTag.Double, null, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Argument(double? value) => value is { } number ? number : None;

    public static implicit operator Argument(bool value) => new(ArgumentTag.Bool, null, value ? 1 : 0);

    public static implicit operator Argument(bool? value) => value is { } flag ? flag : None;

    public static implicit operator Argument(TorchSharp.Scalar? value) => value?.AsArgument() ?? None;

    public static implicit operator Argument(ScalarType value) => new(ArgumentTag.Int, null, (long)value);

    public static implicit operator Argument(ScalarType? value) => value is { } dtype ? dtype : None;

    public static implicit operator Argument(TorchSharp.memory_format value) =>
        new(ArgumentTag.Int, null, MemoryFormats.ToNative(value));

    public static implicit operator Argument(Device? value) =>
        value is null ? None : new(ArgumentTag.Device, null, ((long)value.type << 32) | (uint)value.index);

    public static implicit operator Argument(Generator? value) => new(ArgumentTag.Generator, value);

    public static implicit operator Argument(string? value) => new(ArgumentTag.String, value);

    public static implicit operator Argument(long[]? value) => new(ArgumentTag.IntList, value);

    public static implicit operator Argument(ReadOnlySpan<long> value) => new(ArgumentTag.IntList, value.ToArray());

    public static implicit operator Argument(double[]? value) => new(ArgumentTag.DoubleList, value);

    public static implicit operator Argument(bool[]? value) => new(ArgumentTag.BoolList, value);

    /// <summary>A list of tensors; null elements stand for absent ones, where the operator takes <c>Tensor?[]</c>.</summary>
    public static implicit operator Argument(Tensor?[]? value) => new(ArgumentTag.TensorList, value);

    public static implicit operator Argument(List<Tensor>? value) => value?.ToArray();
}
