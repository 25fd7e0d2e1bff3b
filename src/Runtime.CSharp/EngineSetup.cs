using TorchSharp;

namespace CnnSpec.Runtime;

/// <summary>
/// The one place that knows which engine is underneath: <c>TorchEngine=libtorch</c> (our binding) or
/// <c>TorchEngine=torchsharp</c> (the official packages).
/// </summary>
public static class EngineSetup
{
#if TORCH_ENGINE_LIBTORCH
    /// <summary>The engine and its version, for run folders and messages.</summary>
    public static string Description => $"libtorch {LibTorch.Engine.Version}";

    /// <summary>Tensors alive in native memory.</summary>
    public static long LiveTensors => LibTorch.Engine.LiveTensors;

    /// <summary>Threads of one operation; libtorch's own default is wrong where cores are few.</summary>
    public static int Threads
    {
        get => LibTorch.Engine.Threads;
        set => LibTorch.Engine.Threads = value;
    }
#else
    public static string Description => $"TorchSharp {typeof(torch).Assembly.GetName().Version}";

    public static long LiveTensors => torch.Tensor.TotalCount;

    public static int Threads
    {
        get => torch.get_num_threads();
        set => torch.set_num_threads(value);
    }
#endif

    /// <summary>Loads the engine and gives it all processors.</summary>
    /// <exception cref="EnvironmentError">The engine's native library is missing or does not load.</exception>
    public static void Initialise()
    {
        try
        {
            Threads = Environment.ProcessorCount;
        }
        catch (Exception e)
            when (e
                    is DllNotFoundException
                        or BadImageFormatException
                        or TypeInitializationException
                        or EntryPointNotFoundException
            )
        {
            throw new EnvironmentError(
                "the engine's native library does not load: libtorch is missing or was replaced",
                "run 'dotnet fsi build.fsx setup', which installs libtorch and builds the library",
                e
            );
        }
    }
}
