using System.Runtime.InteropServices;

namespace CnnSpec.Runtime.Data;

/// <summary>
/// PNG through libpng's simplified interface, which reports errors in a structure and so never jumps out of the
/// library.
/// Every kind of PNG is read as 8 bits a channel; transparency is laid over white.
/// </summary>
internal static unsafe class LibPng
{
    private const uint Version = 1;
    private const uint Grey = 0;
    private const uint AlphaFlag = 1;
    private const uint ColourFlag = 2;
    private const uint ErrorFlag = 2;

    /// <summary>
    /// Takes 16-bit files without a gamma for sRGB, as everything else does, and not for linear light.
    /// </summary>
    private const uint SixteenBitSrgb = 4;

    /// <summary>Decodes to grey or RGB, whichever the file holds.</summary>
    /// <param name="name">What messages call the image.</param>
    /// <exception cref="InputError">The data is damaged.</exception>
    /// <exception cref="EnvironmentError">The library is missing.</exception>
    public static Raster Decode(ReadOnlySpan<byte> data, string name)
    {
        var api = Api.Instance;
        var image = new PngImage { Version = Version };
        fixed (byte* bytes = data)
        {
            try
            {
                if (api.BeginRead(&image, bytes, (nuint)data.Length) == 0)
                    throw Damaged(name, image);
                image.Flags |= SixteenBitSrgb;
                int channels = (image.Format & ColourFlag) != 0 ? 3 : 1;
                bool alpha = (image.Format & AlphaFlag) != 0;
                var shape = ImageDecoder.CheckedShape(name, channels, (int)image.Height, (int)image.Width);
                image.Format = (channels == 3 ? ColourFlag : Grey) | (alpha ? AlphaFlag : 0);
                int samples = channels + (alpha ? 1 : 0);
                var pixels = GC.AllocateUninitializedArray<byte>(shape.PlaneSize * samples);
                fixed (byte* target = pixels)
                {
                    if (api.FinishRead(&image, null, target, 0, null) == 0 || (image.Warning & ErrorFlag) != 0)
                        throw Damaged(name, image);
                }
                if (alpha)
                    OverWhite(pixels, samples);
                return Raster.FromInterleaved(alpha ? Packed(pixels, samples) : pixels, shape);
            }
            finally
            {
                api.Free(&image);
            }
        }
    }

    /// <summary>Encodes 8-bit grey or RGB pixels (<c>[C, H, W]</c>).</summary>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, ImageShape shape)
    {
        if (shape.Channels is not (1 or 3))
            throw new InputError($"a PNG cannot hold {shape.Channels} channels", "use 1 or 3 channels");
        var api = Api.Instance;
        var image = new PngImage
        {
            Version = Version,
            Width = (uint)shape.Width,
            Height = (uint)shape.Height,
            Format = shape.Channels == 3 ? ColourFlag : Grey,
        };
        var interleaved = new byte[shape.Size];
        for (int i = 0; i < interleaved.Length; i++)
            interleaved[i] = pixels[i % shape.Channels * shape.PlaneSize + i / shape.Channels];
        // Incompressible data grows by the filter bytes and a little of zlib's; this is above the library's own bound.
        var target = new byte[shape.Size + shape.Size / 100 + shape.Height + 4096];
        nuint length = (nuint)target.Length;
        fixed (byte* source = interleaved)
        fixed (byte* memory = target)
        {
            if (api.WriteToMemory(&image, memory, &length, 0, source, 0, null) == 0)
                throw new EnvironmentError($"the PNG cannot be written: {Text(image)}", "install libpng16-16");
        }
        return target[..(int)length];
    }

    private static void OverWhite(Span<byte> pixels, int samples)
    {
        for (int i = 0; i < pixels.Length; i += samples)
        {
            int alpha = pixels[i + samples - 1];
            for (int c = 0; c < samples - 1; c++)
                pixels[i + c] = (byte)((pixels[i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }

    private static byte[] Packed(byte[] pixels, int samples)
    {
        var packed = new byte[pixels.Length / samples * (samples - 1)];
        for (int from = 0, to = 0; from < pixels.Length; from += samples, to += samples - 1)
            pixels.AsSpan(from, samples - 1).CopyTo(packed.AsSpan(to));
        return packed;
    }

    private static InputError Damaged(string name, PngImage image) =>
        new($"{name}: the PNG is damaged: {Text(image)}", "replace or delete the file");

    private static string Text(PngImage image) => Marshal.PtrToStringUTF8((IntPtr)image.Message) ?? "";

    /// <summary><c>png_image</c> of png.h, version 1.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PngImage
    {
        public IntPtr Opaque;
        public uint Version;
        public uint Width;
        public uint Height;
        public uint Format;
        public uint Flags;
        public uint ColourMapEntries;
        public uint Warning;
        public fixed byte Message[64];
    }

    private sealed class Api
    {
        private static readonly Lazy<Api> Shared = new(() => new Api());

        public static Api Instance => Shared.Value;

        public readonly delegate* unmanaged[Cdecl]<PngImage*, void*, nuint, int> BeginRead;
        public readonly delegate* unmanaged[Cdecl]<PngImage*, void*, void*, int, void*, int> FinishRead;
        public readonly delegate* unmanaged[Cdecl]<PngImage*, void*, nuint*, int, void*, int, void*, int> WriteToMemory;
        public readonly delegate* unmanaged[Cdecl]<PngImage*, void> Free;

        private Api()
        {
            BeginRead = (delegate* unmanaged[Cdecl]<PngImage*, void*, nuint, int>)Find(
                "png_image_begin_read_from_memory"
            );
            FinishRead = (delegate* unmanaged[Cdecl]<PngImage*, void*, void*, int, void*, int>)Find(
                "png_image_finish_read"
            );
            WriteToMemory = (delegate* unmanaged[Cdecl]<PngImage*, void*, nuint*, int, void*, int, void*, int>)Find(
                "png_image_write_to_memory"
            );
            Free = (delegate* unmanaged[Cdecl]<PngImage*, void>)Find("png_image_free");
        }

        private static IntPtr Find(string function) => NativeLibraries.Function(NativeLibraries.Png, function);
    }
}
