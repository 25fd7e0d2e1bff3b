using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime;

/// <summary>
/// Some virtual machines do not say what caches their AMD processor has: leaf 0x8000001D of CPUID is empty. oneDNN 3.7, which
/// libtorch 2.10 contains, then takes every cache for one byte, divides convolutions into blocks for that, and their
/// results are wrong, or the process ends by a division by zero (https://github.com/pytorch/pytorch/issues/177227).
/// On such a machine this puts sizes where oneDNN keeps them.
/// </summary>
internal static unsafe class HiddenCaches
{
    /// <summary>Of <c>Xbyak::util::Cpu</c>: the sizes of ten caches, how many cores share each, and how many there are.</summary>
    private const int Slots = 10;
    private const int Levels = 3;
    private const int Words = Slots + Slots + 1;

    /// <summary>Bytes of the first, second and third cache a core: what oneDNN itself takes where it knows none.</summary>
    private static readonly uint[] Sizes = [32 << 10, 512 << 10, 1 << 20];

    private const string Library = "libtorch_cpu.so";

    /// <summary>Call it after libtorch has loaded and before anything is computed.</summary>
    public static void Mend()
    {
        if (!OperatingSystem.IsLinux())
            return;
        // Where NNPACK cannot tell the caches it complains on standard error at every convolution. Nothing here needs it.
        Switch("_ZN2at7Context20setUserEnabledNNPACKEb", false);
        if (!AreHidden())
            return;
        AskOneDnn();
        var sizes = Find();
        if (!sizes.IsEmpty)
            Sizes.CopyTo(sizes);
        else
            Switch("_ZN2at7Context20setUserEnabledMkldnnEb", false);
    }

    /// <summary>AMD64 Architecture Programmer's Manual 3, CPUID Fn8000_001D: a type of 0 in EAX[4:0] says "no more caches".</summary>
    internal static bool AreHidden()
    {
        if (!X86Base.IsSupported)
            return false;
        // "AuthenticAMD" begins in EBX.
        bool isAmd = X86Base.CpuId(0, 0).Ebx == 0x68747541;
        return isAmd
            && unchecked((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax) >= 0x8000001D
            && (X86Base.CpuId(unchecked((int)0x8000001D), 0).Eax & 0x1f) == 0;
    }

    /// <summary>A convolution of a single value, which is right with any caches: oneDNN looks at the processor with its first.</summary>
    private static void AskOneDnn()
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        // A window of five is oneDNN's on any number of threads.
        _ = nn.functional.conv2d(zeros(1, 1, 5, 5), zeros(1, 1, 5, 5));
    }

    /// <summary>Where oneDNN keeps the sizes, in the writable memory that belongs to libtorch.</summary>
    private static Span<uint> Find()
    {
        bool isOurs = false;
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            // from-to rwxp offset device inode path; what a library has without a file follows what it has of one.
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            isOurs = fields.Length > 5 ? fields[5].EndsWith(Library, StringComparison.Ordinal) : isOurs;
            if (!isOurs || !fields[1].StartsWith("rw", StringComparison.Ordinal))
                continue;
            string[] ends = fields[0].Split('-');
            nuint from = nuint.Parse(ends[0], System.Globalization.NumberStyles.HexNumber);
            nuint to = nuint.Parse(ends[1], System.Globalization.NumberStyles.HexNumber);
            var words = new Span<uint>((void*)from, checked((int)((to - from) / sizeof(uint))));
            if (Find(words) is >= 0 and var at)
                return words.Slice(at, Levels);
            if (fields.Length <= 5)
                isOurs = false;
        }
        return default;
    }

    /// <summary>The place of three caches of one byte each; -1 where there is none.</summary>
    internal static int Find(ReadOnlySpan<uint> words)
    {
        ReadOnlySpan<uint> one = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        for (int at = 0; at + Words <= words.Length; at++)
        {
            int next = words[at..^(Words - Slots)].IndexOf(one);
            if (next < 0)
                return -1;
            at += next;
            var sharing = words.Slice(at + Slots, Slots);
            if (
                words[at + Slots + Slots] == Levels
                && !sharing[..Levels].Contains(0u)
                && !sharing[Levels..].ContainsAnyExcept(0u)
            )
                return at;
        }
        return -1;
    }

    /// <summary>A switch of libtorch's that TorchSharp does not reach: a member of <c>at::Context</c>, by its name in the library.</summary>
    private static void Switch(string member, bool value)
    {
        if (
            NativeLibrary.TryLoad(Library, out nint library)
            && NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out nint context)
            && NativeLibrary.TryGetExport(library, member, out nint set)
        )
            ((delegate* unmanaged<void*, byte, void>)set)(
                ((delegate* unmanaged<void*>)context)(),
                value ? (byte)1 : (byte)0
            );
    }
}
