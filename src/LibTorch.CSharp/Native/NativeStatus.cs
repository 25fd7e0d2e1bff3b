using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CnnSpec.LibTorch.Native;

/// <summary>Turns a native status into an exception, and native text into a string.</summary>
internal static unsafe class NativeStatus
{
    /// <exception cref="LibTorchException">The call failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(int status)
    {
        if (status != 0)
            Throw();
    }

    /// <summary>Reads and frees text that native code allocated.</summary>
    public static string TakeText(byte* text)
    {
        try
        {
            return Marshal.PtrToStringUTF8((nint)text) ?? "";
        }
        finally
        {
            NativeMethods.FreeMemory(text);
        }
    }

    // The error belongs to the thread that made the call, which is this one.
    [DoesNotReturn]
    private static void Throw() => throw new LibTorchException(TakeText(NativeMethods.TakeError()));
}
