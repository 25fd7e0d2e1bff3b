using System.Reflection;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace CnnSpec.Data;

/// <summary>Loads Skia's native library from where the build found it; beside a published program it is found without help.</summary>
internal static class SkiaLibrary
{
    private static readonly Lazy<bool> Loaded = new(() =>
    {
        string? place = typeof(SkiaLibrary)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(attribute => attribute.Key == "CnnSpec.SkiaSharp")
            ?.Value;
        if (place is not null)
        {
            nint library = NativeLibrary.Load(place);
            NativeLibrary.SetDllImportResolver(
                typeof(SKCodec).Assembly,
                (name, _, _) => name == "libSkiaSharp" ? library : 0
            );
        }
        return true;
    });

    /// <exception cref="EnvironmentError">It is missing.</exception>
    public static void Load()
    {
        try
        {
            _ = Loaded.Value;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new EnvironmentError(
                "the image library does not load: its package is gone from the package folder",
                "run 'dotnet fsi build.fsx setup', which fetches it",
                e
            );
        }
    }
}
