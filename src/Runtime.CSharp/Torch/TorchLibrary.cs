using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime;

/// <summary>Loads libtorch and TorchSharp's library: from where the build found them, or from beside the program.</summary>
internal static class TorchLibrary
{
    private static readonly Lazy<bool> Loaded = new(() =>
    {
        if (Place("CnnSpec.LibTorch") is { } folder && Place("CnnSpec.LibTorchSharp") is { } library)
        {
            foreach (string name in new[] { "libtorch_cpu.so", "libtorch.so" })
                NativeLibrary.Load(Path.Combine(folder, name));
            NativeLibrary.Load(library);
        }
        else if (Beside("libLibTorchSharp.so") is { } beside)
            // TorchSharp would write its search for the library to the console.
            NativeLibrary.Load(beside);
        InitializeDeviceType(DeviceType.CPU);
        HiddenCaches.Mend();
        return true;
    });

    /// <summary>The CPU as a device. TorchSharp looks for libtorch as soon as it is asked for anything.</summary>
    /// <inheritdoc cref="Load"/>
    public static Device Processor
    {
        get
        {
            Load();
            return CPU;
        }
    }

    /// <exception cref="EnvironmentError">It is missing or does not load.</exception>
    public static void Load()
    {
        try
        {
            _ = Loaded.Value;
        }
        catch (Exception e)
            when (e
                    is DllNotFoundException
                        or BadImageFormatException
                        or TypeInitializationException
                        or EntryPointNotFoundException
                        or NotSupportedException
            )
        {
            throw new EnvironmentError(
                "libtorch does not load: its package is gone from the package folder, or it is for another system",
                "run 'dotnet fsi build.fsx setup', which fetches it",
                e
            );
        }
    }

    private static string? Place(string key) =>
        typeof(TorchLibrary)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(attribute => attribute.Key == key)
            ?.Value;

    private static string? Beside(string name)
    {
        string[] places = [name, Path.Combine("runtimes", "linux-x64", "native", name)];
        return places.Select(place => Path.Combine(AppContext.BaseDirectory, place)).FirstOrDefault(File.Exists);
    }
}
