using System.Runtime.InteropServices;

namespace CnnSpec.Runtime.Data;

/// <summary>
/// Baseline and progressive JPEG through libjpeg-turbo, with its accurate integer transform. EXIF orientation is
/// ignored.
/// </summary>
internal static unsafe class TurboJpeg
{
    private const int PixelFormatRgb = 0;
    private const int PixelFormatGrey = 6;
    private const int ColourSpaceGrey = 2;
    private const int ColourSpaceCmyk = 3;
    private const int AccurateDct = 4096;

    /// <summary>Decodes to grey or RGB, whichever the file holds.</summary>
    /// <param name="name">What messages call the image.</param>
    /// <exception cref="InputError">The data is damaged, or of a kind that is not supported.</exception>
    /// <exception cref="EnvironmentError">The library is missing.</exception>
    public static Raster Decode(ReadOnlySpan<byte> data, string name)
    {
        var api = Api.Instance;
        IntPtr handle = api.InitDecompress();
        if (handle == IntPtr.Zero)
            throw new EnvironmentError($"{name}: no memory for a JPEG decoder", "close other programs");
        try
        {
            fixed (byte* bytes = data)
            {
                int width,
                    height,
                    subsampling,
                    colourSpace;
                if (
                    api.DecompressHeader(
                        handle,
                        bytes,
                        new CULong((uint)data.Length),
                        &width,
                        &height,
                        &subsampling,
                        &colourSpace
                    ) != 0
                )
                    throw Damaged(name, api, handle);
                if (colourSpace >= ColourSpaceCmyk)
                    throw new InputError($"{name}: a CMYK JPEG is not supported", "save it as RGB");
                bool grey = colourSpace == ColourSpaceGrey;
                var shape = ImageDecoder.CheckedShape(name, grey ? 1 : 3, height, width);
                var pixels = GC.AllocateUninitializedArray<byte>(shape.Size);
                fixed (byte* target = pixels)
                {
                    int format = grey ? PixelFormatGrey : PixelFormatRgb;
                    // A warning (such as a file that ends early) is an error here too: half an image is not an image.
                    if (
                        api.Decompress(
                            handle,
                            bytes,
                            new CULong((uint)data.Length),
                            target,
                            width,
                            0,
                            height,
                            format,
                            AccurateDct
                        ) != 0
                    )
                        throw Damaged(name, api, handle);
                }
                return grey ? new Raster(shape, pixels) : Raster.FromInterleaved(pixels, shape);
            }
        }
        finally
        {
            _ = api.Destroy(handle);
        }
    }

    private static InputError Damaged(string name, Api api, IntPtr handle) =>
        new(
            $"{name}: the JPEG is damaged: {Marshal.PtrToStringUTF8(api.ErrorText(handle))}",
            "replace or delete the file"
        );

    /// <summary>The functions of libturbojpeg 1.4 and later.</summary>
    private sealed class Api
    {
        private static readonly Lazy<Api> Shared = new(() => new Api());

        public static Api Instance => Shared.Value;

        public readonly delegate* unmanaged[Cdecl]<IntPtr> InitDecompress;
        public readonly delegate* unmanaged[Cdecl]<IntPtr, byte*, CULong, int*, int*, int*, int*, int> DecompressHeader;
        public readonly delegate* unmanaged[Cdecl]<
            IntPtr,
            byte*,
            CULong,
            byte*,
            int,
            int,
            int,
            int,
            int,
            int> Decompress;
        public readonly delegate* unmanaged[Cdecl]<IntPtr, IntPtr> ErrorText;
        public readonly delegate* unmanaged[Cdecl]<IntPtr, int> Destroy;

        private Api()
        {
            InitDecompress = (delegate* unmanaged[Cdecl]<IntPtr>)Find("tjInitDecompress");
            DecompressHeader = (delegate* unmanaged[Cdecl]<IntPtr, byte*, CULong, int*, int*, int*, int*, int>)Find(
                "tjDecompressHeader3"
            );
            Decompress = (delegate* unmanaged[Cdecl]<IntPtr, byte*, CULong, byte*, int, int, int, int, int, int>)Find(
                "tjDecompress2"
            );
            ErrorText = (delegate* unmanaged[Cdecl]<IntPtr, IntPtr>)Find("tjGetErrorStr2");
            Destroy = (delegate* unmanaged[Cdecl]<IntPtr, int>)Find("tjDestroy");
        }

        private static IntPtr Find(string function) => NativeLibraries.Function(NativeLibraries.TurboJpeg, function);
    }
}
