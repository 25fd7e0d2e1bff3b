using System.Runtime.InteropServices;

namespace CnnSpec.Data;

/// <summary>What stands at a path: a file, or a pipe, a device or a socket, which may never end or must not be replaced.</summary>
internal static class FileKind
{
    // Of POSIX's stat: the bits of a mode that tell the kind, and their value for an ordinary file.
    private const int KindBits = 0xF000;
    private const int Ordinary = 0x8000;

    /// <summary>Where .NET's own layer over stat puts the mode.</summary>
    private const int ModeOffset = 4;

    /// <summary>Whether there is something at the path, and it is neither a file nor a folder. Links are followed.</summary>
    public static bool IsSpecial(string path) =>
        !OperatingSystem.IsWindows()
        && !Directory.Exists(path)
        && Mode(path) is { } mode
        && (mode & KindBits) != Ordinary;

    /// <returns>Null where there is nothing.</returns>
    private static unsafe int? Mode(string path)
    {
        byte* status = stackalloc byte[512];
        return Stat(path, status) == 0 ? *(int*)(status + ModeOffset) : null;
    }

    /// <summary>Ships with .NET on every Unix; unlike the C library's stat it has the same layout on all of them.</summary>
    [DllImport("libSystem.Native", EntryPoint = "SystemNative_Stat")]
    private static extern unsafe int Stat([MarshalAs(UnmanagedType.LPUTF8Str)] string path, byte* status);
}
