#nullable disable
using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Build.Framework;

/// <summary>
/// TorchSharp 0.107's library was linked with GCC 13, and so asks for version GLIBCXX_3.4.32 of the C++ runtime, which
/// Debian 12 and Ubuntu 22.04 do not have. All that it names of that version is <c>std::ios_base_library_init</c>, which
/// nothing in it calls. Where the machine's runtime is older, this makes a copy whose need of that one version is weak:
/// the loader then goes without. ELF: "Linux Standard Base, Core 5.0", 10.7 Symbol Versioning (Elf64_Vernaux.vna_flags).
/// </summary>
public sealed class OlderCppRuntime : Microsoft.Build.Utilities.Task
{
    private const string Symbol = "_ZSt21ios_base_library_initv";
    private const string Version = "GLIBCXX_3.4.32";

    private const int SectionVersionNeeds = 0x6ffffffe;
    private const ushort Weak = 2;

    /// <summary>TorchSharp's library.</summary>
    [Required]
    public string Library { get; set; }

    /// <summary>Where its copy goes, if it needs one.</summary>
    [Required]
    public string Copy { get; set; }

    /// <summary>The library to load: the one or the other.</summary>
    [Output]
    public string Chosen { get; set; }

    public override bool Execute()
    {
        Chosen = Library;
        var runtime = dlopen("libstdc++.so.6", 1);
        if (runtime == IntPtr.Zero)
            Log.LogError("there is no C++ runtime (libstdc++.so.6) on this machine: install the package libstdc++6");
        else if (dlsym(runtime, Symbol) == IntPtr.Zero)
            Chosen = Write() ?? Library;
        return !Log.HasLoggedErrors;
    }

    private string Write()
    {
        var bytes = File.ReadAllBytes(Library);
        if (!Weaken(bytes, Version))
        {
            Log.LogError(
                "{0} is not the library that is known to run on this machine's C++ runtime, which lacks {1}: "
                    + "use a system with GCC 13's runtime, as Debian 13 or Ubuntu 24.04 have it",
                Library,
                Version
            );
            return null;
        }
        if (File.Exists(Copy) && System.Linq.Enumerable.SequenceEqual(File.ReadAllBytes(Copy), bytes))
            return Copy;
        Directory.CreateDirectory(Path.GetDirectoryName(Copy));
        // A new file in its place: programs that run keep the old one.
        File.WriteAllBytes(Copy + ".new", bytes);
        File.Delete(Copy);
        File.Move(Copy + ".new", Copy);
        return Copy;
    }

    /// <summary>Makes the need of one version weak.</summary>
    /// <returns>False where there is no such need, or the file is not a 64-bit little-endian ELF library.</returns>
    public static bool Weaken(byte[] elf, string version)
    {
        try
        {
            return Find(elf, version) is int flags && Set(elf, flags);
        }
        catch (Exception e) when (e is ArgumentException || e is IndexOutOfRangeException || e is OverflowException)
        {
            return false;
        }
    }

    private static bool Set(byte[] elf, int flags)
    {
        elf[flags] |= (byte)Weak;
        return true;
    }

    /// <summary>Where the flags of the version's need are.</summary>
    private static int? Find(byte[] elf, string version)
    {
        if (elf.Length < 64 || BitConverter.ToUInt32(elf, 0) != 0x464c457f || elf[4] != 2 || elf[5] != 1)
            return null;
        var sections = Offset(elf, 0x28);
        int size = BitConverter.ToUInt16(elf, 0x3a);
        int count = BitConverter.ToUInt16(elf, 0x3c);
        for (var i = 0; i < count; i++)
        {
            var header = checked(sections + i * size);
            if (BitConverter.ToUInt32(elf, header + 4) != SectionVersionNeeds)
                continue;
            var names = Offset(elf, checked(sections + BitConverter.ToInt32(elf, header + 40) * size) + 24);
            return FindIn(elf, Offset(elf, header + 24), names, version);
        }
        return null;
    }

    private static int? FindIn(byte[] elf, int file, int names, string version)
    {
        // Of each file that is needed, each version that is needed of it; both lists end with a step of 0.
        for (var more = true; more; )
        {
            var need = file + BitConverter.ToInt32(elf, file + 8);
            for (var left = BitConverter.ToUInt16(elf, file + 2); left > 0; left--)
            {
                if (NameAt(elf, names + BitConverter.ToInt32(elf, need + 8)) == version)
                    return need + 4;
                need = checked(need + BitConverter.ToInt32(elf, need + 12));
            }
            var step = BitConverter.ToInt32(elf, file + 12);
            more = step > 0;
            file = checked(file + step);
        }
        return null;
    }

    private static string NameAt(byte[] elf, int start)
    {
        var end = Array.IndexOf(elf, (byte)0, start);
        return System.Text.Encoding.ASCII.GetString(elf, start, end - start);
    }

    private static int Offset(byte[] elf, int at) => checked((int)BitConverter.ToInt64(elf, at));

    [DllImport("libc")]
    private static extern IntPtr dlopen(string name, int mode);

    [DllImport("libc")]
    private static extern IntPtr dlsym(IntPtr library, string symbol);
}
