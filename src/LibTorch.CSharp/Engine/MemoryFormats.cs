using TorchSharp;

namespace CnnSpec.LibTorch;

/// <summary>TorchSharp numbers the memory formats differently from libtorch.</summary>
internal static class MemoryFormats
{
    /// <summary>libtorch's number for the format: contiguous 0, preserve 1, channels-last 2.</summary>
    public static long ToNative(memory_format format) =>
        format switch
        {
            memory_format.contiguous_format => 0,
            memory_format.preserve_format => 1,
            memory_format.channels_last => 2,
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
        };
}
