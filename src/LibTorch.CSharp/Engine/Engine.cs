using CnnSpec.LibTorch.Native;
using TorchSharp;
using static CnnSpec.LibTorch.Native.NativeStatus;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>What TorchSharp's API does not say about the libtorch underneath, or cannot ask of it.</summary>
public static unsafe class Engine
{
    /// <summary>The version of libtorch, as in <c>1.13.1</c>.</summary>
    public static string Version
    {
        get
        {
            Check(NativeMethods.Version(out var text));
            return TakeText(text);
        }
    }

    /// <summary>How libtorch was built and how it computes in parallel, in libtorch's own words.</summary>
    public static string Config
    {
        get
        {
            Check(NativeMethods.Config(out var text));
            return TakeText(text);
        }
    }

    /// <summary>How many threads one operator may use. libtorch's own choice can be as low as 1, so set it.</summary>
    public static int Threads
    {
        get
        {
            Check(NativeMethods.Threads(out var threads));
            return threads;
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Check(NativeMethods.SetThreads(value));
        }
    }

    /// <summary>How many threads run operators beside each other, as the backward pass of several devices does.</summary>
    public static int InteropThreads
    {
        get
        {
            Check(NativeMethods.InteropThreads(out var threads));
            return threads;
        }
    }

    /// <summary>How many native tensor handles this process holds: what does not grow does not leak.</summary>
    public static long LiveTensors => NativeMethods.LiveTensors();

    /// <summary>Whether operators without a deterministic algorithm refuse to run.</summary>
    public static bool Deterministic
    {
        get
        {
            Check(NativeMethods.Deterministic(out var enabled));
            return enabled != 0;
        }
        set => Check(NativeMethods.SetDeterministic(value ? (sbyte)1 : (sbyte)0));
    }

    /// <summary>Whether a GPU's library has convolutions of bfloat16; without, libtorch multiplies matrices that it makes of the images.</summary>
    public static bool ConvolvesInBFloat16(Device device)
    {
        Check(NativeMethods.CudaBFloat16(Math.Max(device.index, 0), out var convolves));
        return convolves != 0;
    }

    /// <summary>The whole state of a device's default generator, in bytes: what an exact resume needs beyond a seed.</summary>
    public static byte[] GetRandomState(Device? device = null)
    {
        using var generator = Generator.DefaultOf(device ?? CPU);
        return GetRandomState(generator);
    }

    /// <summary>Puts a device's default generator where <see cref="GetRandomState(Device)"/> found it.</summary>
    public static void SetRandomState(ReadOnlySpan<byte> state, Device? device = null)
    {
        using var generator = Generator.DefaultOf(device ?? CPU);
        SetRandomState(generator, state);
    }

    /// <summary>The whole state of a generator, in bytes.</summary>
    public static byte[] GetRandomState(Generator generator)
    {
        Check(NativeMethods.GeneratorState(generator.Handle, out var handle));
        GC.KeepAlive(generator);
        using var state = new Tensor(handle);
        return state.bytes.ToArray();
    }

    /// <summary>Puts a generator where <see cref="GetRandomState(Generator)"/> found it.</summary>
    public static void SetRandomState(Generator generator, ReadOnlySpan<byte> state)
    {
        using var bytes = Tensor.FromBytes(state, [state.Length], ScalarType.Byte);
        Check(NativeMethods.GeneratorSetState(generator.Handle, bytes.Handle));
        GC.KeepAlive(generator);
    }
}
