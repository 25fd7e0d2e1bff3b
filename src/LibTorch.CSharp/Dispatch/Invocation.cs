using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using CnnSpec.LibTorch.Native;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>
/// Carries the arguments of one call to native code. Lists and texts are copied into one scratch block, which lies on
/// the stack unless it is large, so a call allocates nothing on the managed heap.
/// </summary>
internal static unsafe class Invocation
{
    private const int StackScratchBytes = 512;

    /// <summary>Calls the operator and fills at most <paramref name="capacity"/> results.</summary>
    [SkipLocalsInit]
    public static void Invoke(nint op, ReadOnlySpan<Argument> args, NativeValue* results, int capacity)
    {
        var natives = stackalloc NativeValue[args.Length];
        var scratchBytes = 0;
        foreach (ref readonly var arg in args)
            scratchBytes += ScratchBytes(arg);

        byte[]? rented = null;
        Span<byte> scratch =
            scratchBytes <= StackScratchBytes
                ? stackalloc byte[StackScratchBytes]
                : (rented = ArrayPool<byte>.Shared.Rent(scratchBytes));
        int status;
        fixed (byte* start = scratch)
        {
            var next = start;
            for (var i = 0; i < args.Length; i++)
                next = Fill(args[i], out natives[i], next);
            long count;
            status = NativeMethods.Invoke(op, natives, args.Length, results, capacity, &count);
            for (var i = (int)count; status == 0 && i < capacity; i++)
                results[i] = default;
        }
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        // Native code has only seen handles: until here a finalizer must not free what they stand for.
        foreach (ref readonly var arg in args)
            GC.KeepAlive(arg.Reference);
        NativeStatus.Check(status);
    }

    private static int ScratchBytes(in Argument arg) =>
        arg.Tag switch
        {
            ArgumentTag.IntList => Unsafe.As<long[]>(arg.Reference!).Length * sizeof(long),
            ArgumentTag.DoubleList => Unsafe.As<double[]>(arg.Reference!).Length * sizeof(double),
            ArgumentTag.TensorList => Unsafe.As<Tensor?[]>(arg.Reference!).Length * sizeof(nint),
            // Rounded up, so that a list behind it stays aligned.
            ArgumentTag.BoolList => (Unsafe.As<bool[]>(arg.Reference!).Length + 7) & ~7,
            ArgumentTag.String => (Encoding.UTF8.GetByteCount(Unsafe.As<string>(arg.Reference!)) + 7) & ~7,
            _ => 0,
        };

    private static byte* Fill(in Argument arg, out NativeValue native, byte* scratch)
    {
        native.Tag = (long)arg.Tag;
        native.Length = 0;
        native.Payload = (long)scratch;
        switch (arg.Tag)
        {
            case ArgumentTag.Tensor:
                native.Payload = Unsafe.As<Tensor>(arg.Reference!).Handle;
                return scratch;
            case ArgumentTag.Generator:
                native.Payload = Unsafe.As<Generator>(arg.Reference!).Handle;
                return scratch;
            case ArgumentTag.IntList:
                var integers = Unsafe.As<long[]>(arg.Reference!);
                integers.CopyTo(new Span<long>(scratch, integers.Length));
                native.Length = integers.Length;
                break;
            case ArgumentTag.DoubleList:
                var numbers = Unsafe.As<double[]>(arg.Reference!);
                numbers.CopyTo(new Span<double>(scratch, numbers.Length));
                native.Length = numbers.Length;
                break;
            case ArgumentTag.BoolList:
                var flags = Unsafe.As<bool[]>(arg.Reference!);
                flags.CopyTo(new Span<bool>(scratch, flags.Length));
                native.Length = flags.Length;
                break;
            case ArgumentTag.TensorList:
                var tensors = Unsafe.As<Tensor?[]>(arg.Reference!);
                for (var i = 0; i < tensors.Length; i++)
                    ((nint*)scratch)[i] = tensors[i]?.Handle ?? 0;
                native.Length = tensors.Length;
                break;
            case ArgumentTag.String:
                var text = Unsafe.As<string>(arg.Reference!);
                var room = (Encoding.UTF8.GetByteCount(text) + 7) & ~7;
                native.Length = Encoding.UTF8.GetBytes(text, new Span<byte>(scratch, room));
                return scratch + room;
            default:
                native.Payload = arg.Bits;
                return scratch;
        }
        return scratch + ScratchBytes(arg);
    }
}
