using System.Runtime.InteropServices;
using CnnSpec.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime;

/// <summary>Where the values of tensors lie, as the native loops read them: rows of channels.</summary>
internal static partial class TensorMemory
{
    /// <summary>The first value of a tensor on the CPU. TorchSharp's own <c>storage&lt;T&gt;().data_ptr()</c> turns bfloat16 to
    /// float32, and begins where the storage does.</summary>
    public static nint Data(this Tensor tensor) => THSTensor_data(tensor.Handle);

    public static nint DataOrNull(this Tensor? tensor) => tensor is null ? 0 : THSTensor_data(tensor.Handle);

    /// <summary>Whether the loops take its values: float32 or bfloat16 on the CPU, and any at all.</summary>
    public static bool HasKernels(this Tensor tensor) =>
        tensor.dtype is ScalarType.Float32 or ScalarType.BFloat16
        && tensor.device_type == DeviceType.CPU
        && tensor.dim() is 4 or 2
        && tensor.numel() > 0;

    public static Element ElementOf(this Tensor tensor) =>
        tensor.dtype == ScalarType.Float32 ? Element.Float32 : Element.BFloat16;

    /// <summary><c>[N,C,H,W]</c> or <c>[N,C]</c>: N·H·W rows of C.</summary>
    public static RowShape RowShapeOf(this Tensor tensor)
    {
        long channels = tensor.size(1);
        return new(tensor.ElementOf(), tensor.numel() / channels, channels);
    }

    /// <summary>From row to row, where the tensor's channels are neighbours and its rows follow each other evenly, as in a
    /// channels-last tensor and in a range of channels of one; else null.</summary>
    public static long? RowStride(this Tensor tensor)
    {
        long channels = tensor.size(1);
        if (channels > 1 && tensor.stride(1) != 1)
            return null;
        long? row = null;
        long rows = 1;
        for (int dim = (int)tensor.dim() - 1; dim >= 0; dim--)
        {
            long size = tensor.size(dim);
            if (dim == 1 || size == 1)
                continue;
            long stride = tensor.stride(dim);
            row ??= stride;
            if (stride != row * rows || row < channels)
                return null;
            rows *= size;
        }
        return row ?? channels;
    }

    /// <summary>As the loops read it.</summary>
    public static Rows Rows(this Tensor tensor) => new(tensor.Data(), tensor.RowStride()!.Value);

    public static Rows RowsOrNone(this Tensor? tensor) => tensor?.Rows() ?? default;

    /// <summary>A handle of the caller's to the tensor where it is made of rows, else to a copy that is.</summary>
    public static Tensor AsRows(this Tensor tensor) =>
        tensor.RowStride() is not null ? tensor.alias() : tensor.ChannelsLast();

    /// <summary>A handle of the caller's to the tensor with its channels next to each other in memory and no gaps: to itself
    /// where it lies so.</summary>
    public static Tensor ChannelsLast(this Tensor tensor)
    {
        if (tensor.dim() != 4)
            return tensor.is_contiguous() ? tensor.alias() : tensor.contiguous();
        if (tensor.RowStride() == tensor.size(1) && LiesAsChannelsLast(tensor))
            return tensor.alias();
        using var turned = tensor.permute(0, 2, 3, 1);
        using var dense = turned.contiguous();
        return dense.permute(0, 3, 1, 2);
    }

    /// <summary>Strides of sides of size 1 decide, in libtorch, which format a tensor has.</summary>
    private static bool LiesAsChannelsLast(Tensor tensor)
    {
        long channels = tensor.size(1);
        long width = tensor.size(3);
        return tensor.stride(1) == 1
            && tensor.stride(3) == channels
            && tensor.stride(2) == channels * width
            && tensor.stride(0) == channels * width * tensor.size(2);
    }

    /// <summary>Room for <c>[N,C,H,W]</c>, channels-last.</summary>
    public static Tensor EmptyMap(long images, long channels, long height, long width, ScalarType type) =>
        empty_strided(
            [images, channels, height, width],
            [height * width * channels, 1, width * channels, channels],
            dtype: type
        );

    /// <summary>Room for a tensor of the same shape, its rows dense.</summary>
    public static Tensor EmptyRowsLike(Tensor tensor) => EmptyRowsLike(tensor, tensor.size(1));

    /// <summary>The same with another count of channels.</summary>
    public static Tensor EmptyRowsLike(Tensor tensor, long channels) =>
        tensor.dim() == 4
            ? EmptyMap(tensor.size(0), channels, tensor.size(2), tensor.size(3), tensor.dtype)
            : empty([tensor.size(0), channels], dtype: tensor.dtype);

    /// <summary>Neighbouring channels of the rows that the tensor lies in, from <paramref name="first"/> on, counted from its own
    /// first one; the memory is shared.</summary>
    public static Tensor Neighbours(this Tensor tensor, long first, long channels)
    {
        // One by one: for all at once TorchSharp hands libtorch a delegate, whose native half stays until the collector comes.
        var (sizes, strides) = (new long[tensor.dim()], new long[tensor.dim()]);
        for (int dim = 0; dim < sizes.Length; dim++)
            (sizes[dim], strides[dim]) = (tensor.size(dim), tensor.stride(dim));
        sizes[1] = channels;
        return tensor.as_strided(sizes, strides, tensor.storage_offset() + first);
    }

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_data(nint tensor);
}
