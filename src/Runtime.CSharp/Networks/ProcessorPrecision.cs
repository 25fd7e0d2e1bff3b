using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>What a device multiplies natively.</summary>
public static class ProcessorPrecision
{
    /// <summary>bfloat16 where the processor has instructions for it (AVX-512 BF16 or AMX), and on a GPU that convolves in it, as
    /// NVIDIA's do since 2020 (Ampere); else float32.</summary>
    public static Precision BestOn(Device device) =>
        (device.type == DeviceType.CUDA || HasBFloat16()) ? Precision.BFloat16 : Precision.Float32;

    private static bool HasBFloat16()
    {
        if (!X86Base.IsSupported || !Avx512F.IsSupported || X86Base.CpuId(0, 0).Eax < 7)
            return false;
        // Intel SDM volume 2, CPUID leaf 7: subleaf 0 EDX bit 22 is AMX-BF16, subleaf 1 EAX bit 5 AVX512_BF16.
        var (highest, _, _, extended) = X86Base.CpuId(7, 0);
        bool matrices = (extended & (1 << 22)) != 0;
        bool vectors = highest >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
        return vectors || matrices;
    }
}
