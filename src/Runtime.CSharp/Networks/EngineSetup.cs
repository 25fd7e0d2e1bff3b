using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>libtorch as the runtime uses it: loaded, its threads, its devices.</summary>
public static class EngineSetup
{
    /// <summary>TorchSharp and libtorch with their versions, and the native loops, for run folders and messages.</summary>
    public static string Description =>
        $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)} (libtorch {Version(__version__)}), kernels {KernelChoice.Chosen.Name}";

    /// <summary>Whether networks run by TorchSharp's operations alone, several times slower.</summary>
    public static bool IsWithoutKernels => KernelChoice.Chosen is ComposedKernels;

    /// <summary>Threads of one operation; libtorch's own default is wrong where cores are few.</summary>
    public static int Threads
    {
        get => get_num_threads();
        set => set_num_threads(value);
    }

    /// <summary>The device of a name: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>, or <c>auto</c>, a GPU where there is one.</summary>
    /// <exception cref="EnvironmentError">There is no such device, it does not work, or there is no libtorch.</exception>
    public static Device Find(string name)
    {
        Initialise();
        var device =
            name != "auto" ? Named(name)
            : HasCuda() ? CUDA
            : CPU;
        int there = device.type == DeviceType.CUDA && HasCuda() ? cuda.device_count() : 0;
        if (device.type == DeviceType.CUDA && device.index >= there)
            throw new EnvironmentError(
                $"there is no device {name}: libtorch sees {(there == 0 ? "no GPU" : $"{there} of them")}",
                there == 0
                    ? "use --device cpu, or a GPU's driver and a libtorch for CUDA: see docs/engine.md"
                    : $"the first is cuda:0, the last cuda:{there - 1}"
            );
        if (device.type == DeviceType.CUDA)
            Try(device);
        return device;

        // TorchSharp refuses a name of CUDA where there is none.
        Device Named(string given) =>
            !given.StartsWith("cuda", StringComparison.Ordinal) || HasCuda()
                ? new Device(given)
                : throw new EnvironmentError(
                    $"there is no device {given}: libtorch sees no GPU",
                    "use --device cpu, or a GPU's driver and a libtorch for CUDA: see docs/engine.md"
                );
    }

    private static bool HasCuda() => cuda.is_available();

    private static string Version(string four) => four.EndsWith(".0", StringComparison.Ordinal) ? four[..^2] : four;

    /// <summary>libtorch may have no kernels for a GPU that it sees, and another program may have it to itself.</summary>
    private static void Try(Device device)
    {
        try
        {
            using var scope = NewDisposeScope();
            _ = ones(1, device: device).Plus(1).cpu();
        }
        catch (System.Runtime.InteropServices.ExternalException e)
        {
            throw new EnvironmentError(
                $"the GPU {device} does not work: {e.Message.Split('\n')[0]}",
                "use --device cpu, or a libtorch and a driver for this GPU: see docs/engine.md",
                e
            );
        }
    }

    /// <summary>Waits until a device has done what it was asked to: a GPU answers before.</summary>
    internal static void Finish(Device device)
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize(device);
    }

    /// <summary>Loads libtorch and gives it so many threads; null for all processors.</summary>
    /// <exception cref="EnvironmentError">A native library is missing or does not load.</exception>
    public static void Initialise(int? threads = null)
    {
        TorchLibrary.Load();
        Threads = threads ?? Environment.ProcessorCount;
    }
}
