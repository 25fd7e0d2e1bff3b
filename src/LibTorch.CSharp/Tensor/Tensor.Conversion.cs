using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>The same elements as another type or on another device.</summary>
    public partial class Tensor
    {
        public Tensor to(
            ScalarType type,
            Device device,
            bool copy = false,
            bool disposeAfter = false,
            bool non_blocking = false
        ) => Convert(type, device, copy, non_blocking, disposeAfter);

        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(type, null, copy, non_blocking, disposeAfter);

        public Tensor to_type(
            ScalarType type,
            bool copy = false,
            bool disposeAfter = false,
            bool non_blocking = false
        ) => Convert(type, null, copy, non_blocking, disposeAfter);

        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, device, copy, non_blocking, disposeAfter);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, new Device(device), copy, non_blocking, disposeAfter);

        public Tensor to(
            DeviceType deviceType,
            int deviceIndex = -1,
            bool copy = false,
            bool disposeAfter = false,
            bool non_blocking = false
        ) => Convert(null, new Device(deviceType, deviceIndex), copy, non_blocking, disposeAfter);

        public Tensor to(Tensor other, bool non_blocking = false) =>
            Convert(other.dtype, other.device, copy: false, non_blocking);

        public Tensor type(ScalarType dtype) => to(dtype);

        public Tensor type_as(Tensor tensor) => to(tensor.dtype);

        public Tensor cpu() => to(CPU);

        public Tensor cuda(Device? device = null, bool non_blocking = false) =>
            to(device ?? CUDA, non_blocking: non_blocking);

        public Tensor @bool() => to(ScalarType.Bool);

        public Tensor @byte() => to(ScalarType.Byte);

        public Tensor @char() => to(ScalarType.Int8);

        public Tensor @short() => to(ScalarType.Int16);

        public Tensor @int() => to(ScalarType.Int32);

        public Tensor @long() => to(ScalarType.Int64);

        public Tensor half() => to(ScalarType.Float16);

        public Tensor bfloat16() => to(ScalarType.BFloat16);

        public Tensor @float() => to(ScalarType.Float32);

        public Tensor @double() => to(ScalarType.Float64);

        /// <summary>An alias where nothing is to be changed and no copy is asked for.</summary>
        internal Tensor Convert(
            ScalarType? type,
            Device? device,
            bool copy,
            bool nonBlocking,
            bool disposeAfter = false
        )
        {
            var same = (type is null || type == dtype) && (device is null || device.SameAs(this.device));
            var result =
                same && !copy
                    ? alias()
                    : Aten.to_dtype_layout.Call(
                        this,
                        type ?? dtype,
                        default,
                        device ?? this.device,
                        default,
                        nonBlocking,
                        copy
                    );
            if (disposeAfter)
                Dispose();
            return result;
        }
    }
}
