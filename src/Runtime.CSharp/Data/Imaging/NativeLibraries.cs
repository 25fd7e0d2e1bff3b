using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;

namespace CnnSpec.Runtime.Data;

/// <summary>Finds the system's image libraries under the names that each platform gives them.</summary>
internal static class NativeLibraries
{
    public const string TurboJpeg = "turbojpeg";
    public const string Png = "png16";

    private static readonly Dictionary<string, (string[] Files, string Package)> Known = new()
    {
        [TurboJpeg] = (["libturbojpeg.so.0", "libturbojpeg.0.dylib", "turbojpeg.dll"], "libturbojpeg0"),
        [Png] = (["libpng16.so.16", "libpng16.16.dylib", "libpng16.dll"], "libpng16-16"),
    };

    private static readonly ConcurrentDictionary<string, IntPtr> Loaded = new();

    /// <summary>Loads a library once.</summary>
    /// <exception cref="EnvironmentError">The machine does not have it; the help names the package to
    /// install.</exception>
    public static IntPtr Load(string name) => Loaded.GetOrAdd(name, Find);

    /// <summary>One function of a library.</summary>
    public static IntPtr Function(string library, string function)
    {
        if (NativeLibrary.TryGetExport(Load(library), function, out IntPtr address))
            return address;
        throw new EnvironmentError(
            $"the image library {library} has no function {function}: it is too old",
            $"install {Known[library].Package}"
        );
    }

    private static IntPtr Find(string name)
    {
        var (files, package) = Known[name];
        foreach (string file in files)
        {
            if (NativeLibrary.TryLoad(file, Assembly.GetExecutingAssembly(), null, out IntPtr library))
                return library;
        }
        throw new EnvironmentError($"the image library {name} is not on this machine", $"install {package}");
    }
}
