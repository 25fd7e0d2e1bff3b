using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime;

/// <summary>
/// Arithmetic with numbers that stay. Of a number that it is given in passing, even of the factor 1 of a plain sum,
/// TorchSharp 0.107 makes a <see cref="Scalar"/> that the garbage collector may free while libtorch is about to read it:
/// rarely, on a busy machine, a step then fails or takes another number.
/// </summary>
internal static class Arithmetic
{
    private static readonly Scalar One = 1.ToScalar();

    private static readonly ConcurrentDictionary<double, Scalar> Kept = new();

    /// <summary>A number for libtorch. There are few different ones: they are never freed.</summary>
    public static Scalar Number(double value) => Kept.GetOrAdd(value, number => number.ToScalar());

    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, One);

    public static Tensor Plus(this Tensor left, double right) => left.add(Number(right), One);

    public static Tensor Times(this Tensor left, double right) => left.mul(Number(right));

    /// <summary><c>left += right</c></summary>
    public static void Add(this Tensor left, Tensor right) => left.add_(right, One);

    /// <summary><c>left += weight · right</c></summary>
    public static void Add(this Tensor left, Tensor right, double weight) => left.add_(right, Number(weight));

    /// <summary>Counts one more.</summary>
    public static void Increment(this Tensor counter) => counter.add_(One, One);

    /// <summary><c>left *= right</c></summary>
    public static void Multiply(this Tensor left, double right) => left.mul_(Number(right));
}
