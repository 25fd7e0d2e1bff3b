using CnnSpec.LibTorch;

namespace TorchSharp;

/// <summary>A number or flag for an operator: what PyTorch calls a Scalar. It keeps whole numbers whole.</summary>
public sealed class Scalar : IDisposable
{
    private readonly Argument _value;

    private Scalar(Argument value, torch.ScalarType type) => (_value, Type) = (value, type);

    /// <summary>How libtorch holds it: Int64, Float64 or Bool.</summary>
    public torch.ScalarType Type { get; }

    internal Argument AsArgument() => _value;

    internal double AsDouble() =>
        Type == torch.ScalarType.Float64 ? BitConverter.Int64BitsToDouble(_value.Bits) : _value.Bits;

    internal long AsInt64() =>
        Type == torch.ScalarType.Float64 ? (long)BitConverter.Int64BitsToDouble(_value.Bits) : _value.Bits;

    private static Scalar Whole(long value) => new(value, torch.ScalarType.Int64);

    private static Scalar Real(double value) => new(value, torch.ScalarType.Float64);

    public static implicit operator Scalar(byte value) => Whole(value);

    public static implicit operator Scalar(sbyte value) => Whole(value);

    public static implicit operator Scalar(short value) => Whole(value);

    public static implicit operator Scalar(int value) => Whole(value);

    public static implicit operator Scalar(long value) => Whole(value);

    public static implicit operator Scalar(Half value) => Real((double)value);

    public static implicit operator Scalar(float value) => Real(value);

    public static implicit operator Scalar(double value) => Real(value);

    public static implicit operator Scalar(bool value) => new(value, torch.ScalarType.Bool);

    /// <summary>Nothing to do: unlike TorchSharp's, this scalar holds no native memory.</summary>
    public void Dispose() { }
}

/// <summary>Numbers from scalars and scalars from numbers.</summary>
public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => value;

    public static Scalar ToScalar(this sbyte value) => value;

    public static Scalar ToScalar(this short value) => value;

    public static Scalar ToScalar(this int value) => value;

    public static Scalar ToScalar(this long value) => value;

    public static Scalar ToScalar(this Half value) => value;

    public static Scalar ToScalar(this float value) => value;

    public static Scalar ToScalar(this double value) => value;

    public static Scalar ToScalar(this bool value) => value;

    public static Half ToHalf(this Scalar value) => (Half)value.AsDouble();

    public static float ToSingle(this Scalar value) => (float)value.AsDouble();

    public static double ToDouble(this Scalar value) => value.AsDouble();

    public static sbyte ToSByte(this Scalar value) => (sbyte)value.AsInt64();

    public static byte ToByte(this Scalar value) => (byte)value.AsInt64();

    public static short ToInt16(this Scalar value) => (short)value.AsInt64();

    public static int ToInt32(this Scalar value) => (int)value.AsInt64();

    public static long ToInt64(this Scalar value) => value.AsInt64();

    public static bool ToBoolean(this Scalar value) => value.AsDouble() != 0;
}
