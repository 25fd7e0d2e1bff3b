using CnnSpec.LibTorch;
using CnnSpec.LibTorch.Native;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Handles alive in native memory.</summary>
        public static long TotalCount => CnnSpec.LibTorch.Engine.LiveTensors;

        public long dim()
        {
            Check(NativeMethods.TensorNdim(Handle, out var ndim));
            GC.KeepAlive(this);
            return ndim;
        }

        public long ndim => dim();

        public long Dimensions => dim();

        /// <summary>The size of each dimension, in a new array.</summary>
        public unsafe long[] shape
        {
            get
            {
                var result = new long[dim()];
                fixed (long* start = result)
                    Check(NativeMethods.TensorShape(Handle, start));
                GC.KeepAlive(this);
                return result;
            }
        }

        public long[] size() => shape;

        public long size(int dim)
        {
            var sizes = shape;
            return sizes[dim < 0 ? dim + sizes.Length : dim];
        }

        /// <summary>How many elements apart neighbours along each dimension lie, in a new array.</summary>
        public unsafe long[] stride()
        {
            var result = new long[dim()];
            fixed (long* start = result)
                Check(NativeMethods.TensorStrides(Handle, start));
            GC.KeepAlive(this);
            return result;
        }

        public long stride(int dim)
        {
            var strides = stride();
            return strides[dim < 0 ? dim + strides.Length : dim];
        }

        public long storage_offset()
        {
            Check(NativeMethods.TensorStorageOffset(Handle, out var offset));
            GC.KeepAlive(this);
            return offset;
        }

        public long numel()
        {
            Check(NativeMethods.TensorNumel(Handle, out var count));
            GC.KeepAlive(this);
            return count;
        }

        public long NumberOfElements => numel();

        public long element_size() => dtype.ElementSize();

        public long ElementSize => element_size();

        public ScalarType dtype
        {
            get
            {
                Check(NativeMethods.TensorDtype(Handle, out var dtype));
                GC.KeepAlive(this);
                return (ScalarType)dtype;
            }
        }

        public Device device => new(device_type, device_index);

        public DeviceType device_type
        {
            get
            {
                Check(NativeMethods.TensorDevice(Handle, out var type, out _));
                GC.KeepAlive(this);
                return (DeviceType)type;
            }
        }

        public int device_index
        {
            get
            {
                Check(NativeMethods.TensorDevice(Handle, out _, out var index));
                GC.KeepAlive(this);
                return index;
            }
        }

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_integral() => torch.is_integral(dtype);

        public bool is_complex() => torch.is_complex(dtype);

        /// <summary>Whether the elements lie in row-major order without gaps.</summary>
        public bool is_contiguous() => IsContiguous(memory_format.contiguous_format);

        internal bool IsContiguous(memory_format format)
        {
            var native = (sbyte)MemoryFormats.ToNative(format);
            Check(NativeMethods.TensorIsContiguous(Handle, native, out var contiguous));
            GC.KeepAlive(this);
            return contiguous != 0;
        }

        /// <summary>Its shape, type and device; not its elements.</summary>
        public override string ToString() =>
            IsInvalid ? "[disposed]" : $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";
    }

    public static long numel(Tensor input) => input.numel();

    public static bool is_tensor(object obj) => obj is Tensor;

    public static bool is_floating_point(Tensor input) => input.is_floating_point();
}
