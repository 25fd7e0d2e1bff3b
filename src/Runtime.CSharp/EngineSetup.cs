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

    /// <summary>Threads of one operation; libtorch's own default is wrong where cores are few.</summary>
    public static int Threads
    {
        get => LibTorch.Engine.Threads;
        set => LibTorch.Engine.Threads = value;
    }
#else
    public static string Description => $"TorchSharp {typeof(torch).Assembly.GetName().Version}";

    /// <summary>TorchSharp 0.106 cannot set this; its libtorch takes all processors by itself.</summary>
    public static int Threads
    {
        get => Environment.ProcessorCount;
        set
        {
            if (value != Environment.ProcessorCount)
                throw new EnvironmentError(
                    "the number of threads needs TorchEngine=libtorch",
                    "set CNNSPEC_ENGINE=libtorch, delete artifacts/engine, and run 'dotnet fsi build.fsx setup'"
                );
        }
    }
#endif

    /// <summary>Loads the engine and gives it so many threads; null for all processors.</summary>
    /// <exception cref="EnvironmentError">The engine's native library is missing or does not load.</exception>
    public static void Initialise(int? threads = null)
    {
        try
        {
            Threads = threads ?? Environment.ProcessorCount;
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
