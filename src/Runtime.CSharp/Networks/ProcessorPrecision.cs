using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>What a device multiplies natively.</summary>
internal static class ProcessorPrecision
{
    /// <summary>Whether it computes in bfloat16: a processor by AVX-512 BF16 or AMX; a GPU always, as NVIDIA's do since 2020
    /// (Ampere).</summary>
    public static bool HasBFloat16(Device device) => device.type == DeviceType.CUDA || HasBFloat16();

    /// <summary>The processor's own name, or what kind it is.</summary>
    public static string Name =>
        X86Base.IsSupported ? BrandString() : RuntimeInformation.ProcessArchitecture.ToString();

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

    /// <summary>Leaves 0x80000002 to 0x80000004 hold 48 characters; the version (leaf 1) tells apart those of one name.</summary>
    private static string BrandString()
    {
        Span<int> words = stackalloc int[12];
        for (int i = 0; i < 3; i++)
            (words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]) = X86Base.CpuId(
                unchecked((int)0x80000002) + i,
                0
            );
        string name = Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words)).Trim('\0', ' ');
        return $"{name} {X86Base.CpuId(1, 0).Eax:x}";
    }
}
