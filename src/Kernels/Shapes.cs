using System.Runtime.InteropServices;

namespace CnnSpec.Kernels;

/// <summary>The type of a feature map's values.</summary>
public enum Element
{
    Float32,
    BFloat16,
}

/// <summary>Rows of channels in memory; <paramref name="Stride"/> elements from one row to the next. See cnnspec_kernels.h.</summary>
/// <param name="Data">0: none, where one may be left out.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Rows(nint Data, long Stride);

/// <summary>How many rows there are, of how many channels.</summary>
public readonly record struct RowShape(Element Element, long Rows, long Channels);

/// <summary>Windows of a max pooling.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PoolShape(
    long Images,
    long Channels,
    long Height,
    long Width,
    long OutHeight,
    long OutWidth,
    long KernelHeight,
    long KernelWidth,
    long StrideHeight,
    long StrideWidth,
    long PadTop,
    long PadLeft
);

/// <summary>A convolution of one group.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ConvShape(
    long Images,
    long Channels,
    long Height,
    long Width,
    long Filters,
    long OutHeight,
    long OutWidth,
    long KernelHeight,
    long KernelWidth,
    long StrideHeight,
    long StrideWidth,
    long PadTop,
    long PadLeft,
    long DilationHeight,
    long DilationWidth
);

/// <summary>One of the three products of a convolution and its gradient.</summary>
public enum ConvProduct
{
    Output,
    InputGradient,
    WeightGradient,
}

/// <summary>A batch normalisation. Pointers to float32 <c>[C]</c>; <see cref="Statistics"/> to <c>[4·C]</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BatchNormShape
{
    public int Element;
    public int Relu;
    public long Rows;
    public long Channels;
    public double Momentum;
    public double Epsilon;

    /// <summary>0 with <see cref="Bias"/> where there is none.</summary>
    public nint Weight;
    public nint Bias;
    public nint RunningMean;
    public nint RunningVariance;

    /// <summary>The forward pass fills it, the backward pass reads it.</summary>
    public nint Statistics;
}

/// <summary>A parameter as an optimizer sees it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ParameterMemory
{
    public nint Value;
    public nint Gradient;

    /// <summary>Momentum, or the gradient's mean.</summary>
    public nint First;

    /// <summary>The mean of the gradient's square.</summary>
    public nint Second;
    public long Count;

    /// <summary>Adam's <c>−rate / (1 − β₁ᵗ)</c>.</summary>
    public float Size;

    /// <summary>Adam's <c>√(1 − β₂ᵗ)</c>.</summary>
    public float Root;
}
