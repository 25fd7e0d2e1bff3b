using System.Runtime.InteropServices;
using CnnSpec.LibTorch;
using CnnSpec.LibTorch.Native;
using TorchSharp.Utils;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>The elements as .NET values, in place; the tensor must be on the CPU and of type T.</summary>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            if (ScalarTypeOf(typeof(T)) != dtype)
                throw new ArgumentException($"A tensor of {dtype} cannot be read as {typeof(T).Name}.");
            return new TensorAccessor<T>(this);
        }

        /// <summary>The memory of a contiguous CPU tensor: a view to read or write, or new contents of the same size.</summary>
        public unsafe Span<byte> bytes
        {
            get
            {
                if (!is_contiguous())
                    throw new NotSupportedException("bytes needs a contiguous tensor; call contiguous() first.");
                return new Span<byte>(DataPointer(), checked((int)(numel() * element_size())));
            }
            set
            {
                if (value.Length != numel() * element_size())
                    throw new ArgumentException(
                        $"The tensor holds {numel() * element_size()} bytes, not {value.Length}."
                    );
                value.CopyTo(bytes);
            }
        }

        internal unsafe void* DataPointer()
        {
            if (!is_cpu())
                throw new InvalidOperationException($"The tensor is on {device}; call cpu() to read its elements.");
            Check(NativeMethods.TensorData(Handle, out var pointer));
            GC.KeepAlive(this);
            return pointer;
        }

        /// <summary>The one element as a scalar, from whatever device.</summary>
        public Scalar ToScalar() => Aten.item.CallScalar(this);

        /// <summary>The one element, from whatever device, as T.</summary>
        public T item<T>()
            where T : unmanaged
        {
            if (numel() != 1)
                throw new ArgumentException($"item needs exactly one element; this tensor has {numel()}.");
            if (ScalarTypeOf(typeof(T)) != dtype && !(dtype == ScalarType.BFloat16 && typeof(T) == typeof(float)))
                throw new ArgumentException($"A tensor of {dtype} cannot be read as {typeof(T).Name}.");
            var scalar = ToScalar();
            object value = Type.GetTypeCode(typeof(T)) switch
            {
                TypeCode.Single => scalar.ToSingle(),
                TypeCode.Double => scalar.ToDouble(),
                TypeCode.Int64 => scalar.ToInt64(),
                TypeCode.Int32 => scalar.ToInt32(),
                TypeCode.Int16 => scalar.ToInt16(),
                TypeCode.Byte => scalar.ToByte(),
                TypeCode.SByte => scalar.ToSByte(),
                TypeCode.Boolean => scalar.ToBoolean(),
                _ => scalar.ToHalf(),
            };
            return (T)value;
        }

        public static explicit operator float(Tensor value) => value.ToSingle();

        public static explicit operator double(Tensor value) => value.ToDouble();

        public static explicit operator sbyte(Tensor value) => value.ToSByte();

        public static explicit operator byte(Tensor value) => value.ToByte();

        public static explicit operator short(Tensor value) => value.ToInt16();

        public static explicit operator int(Tensor value) => value.ToInt32();

        public static explicit operator long(Tensor value) => value.ToInt64();

        public static explicit operator bool(Tensor value) => value.ToBoolean();

        /// <summary>A CPU tensor that holds a copy of the values.</summary>
        internal static unsafe Tensor FromMemory<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape, ScalarType dtype)
            where T : unmanaged => FromBytes(MemoryMarshal.AsBytes(values), shape, dtype);

        internal static unsafe Tensor FromBytes(ReadOnlySpan<byte> bytes, ReadOnlySpan<long> shape, ScalarType dtype)
        {
            fixed (byte* data = bytes)
            fixed (long* sizes = shape)
            {
                var native = (sbyte)dtype;
                Check(NativeMethods.TensorFromMemory(data, bytes.Length, sizes, shape.Length, native, out var handle));
                return new Tensor(handle);
            }
        }
    }
}
