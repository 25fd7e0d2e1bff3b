using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>The numbers that activations are kept in. Weights, statistics, sums and the loss are float32 in any case.</summary>
public enum Precision
{
    Float32,

    /// <summary>bfloat16: float32's range with eight bits of precision, half the memory and, where the processor
    /// multiplies it, twice the speed.</summary>
    BFloat16,
}

/// <summary>How a network is run: none of it changes what it computes, but for the precision's rounding.</summary>
/// <param name="Fused">Operations are joined where a kernel does several in one pass, and maps are channels-last.</param>
public sealed record Execution(Precision Precision = Precision.Float32, bool Fused = true)
{
    /// <summary>Each operation by itself, as the program lists them: what the other ways are compared with.</summary>
    public static readonly Execution Plain = new(Fused: false);

    /// <summary>Where weights and activations are.</summary>
    public Device Device { get; init; } = TorchLibrary.Processor;

    /// <summary>What computes on the CPU; null for the process's choice.</summary>
    internal IKernels? Kernels { get; init; }

    internal ScalarType ActivationType => Precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
}
