using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace TorchSharp.Utils;

/// <summary>
/// A CPU tensor's elements as .NET values, without a copy. They are numbered in row-major order whatever the strides.
/// </summary>
[SuppressMessage("Design", "CA1063", Justification = "TorchSharp's shape: the tensor owns the memory.")]
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T>
    where T : unmanaged
{
    private readonly torch.Tensor _tensor;
    private readonly long[] _shape;
    private readonly long[] _strides;
    private readonly bool _contiguous;
    private readonly T* _start;

    internal TensorAccessor(torch.Tensor tensor)
    {
        _start = (T*)tensor.DataPointer();
        _tensor = tensor;
        _shape = tensor.shape;
        _strides = tensor.stride();
        _contiguous = tensor.is_contiguous();
        Count = tensor.numel();
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    /// <summary>The element at a position in every dimension, or at a row-major position.</summary>
    public T this[params long[] indices]
    {
        get => *At(Offset(indices));
        set => *At(Offset(indices)) = value;
    }

    public T[] ToArray()
    {
        var array = new T[Count];
        CopyTo(array.AsSpan());
        return array;
    }

    /// <summary>The elements in an array of the tensor's own shape.</summary>
    public Array ToNDArray()
    {
        var array = Array.CreateInstance(typeof(T), _shape);
        var handle = System.Runtime.InteropServices.GCHandle.Alloc(
            array,
            System.Runtime.InteropServices.GCHandleType.Pinned
        );
        try
        {
            CopyTo(new Span<T>((void*)handle.AddrOfPinnedObject(), checked((int)Count)));
        }
        finally
        {
            handle.Free();
        }
        return array;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) =>
        CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var count = (int)Math.Min(Count - tensorIndex, array.Length - arrayIndex);
        if (_contiguous)
            new ReadOnlySpan<T>(At(tensorIndex), count).CopyTo(array[arrayIndex..]);
        else
            for (var i = 0; i < count; i++)
                array[arrayIndex + i] = *At(OffsetOf(tensorIndex + i));
        GC.KeepAlive(_tensor);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) =>
        CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var count = (int)Math.Min(Count - tensorIndex, array.Length - arrayIndex);
        if (_contiguous)
            array.Slice(arrayIndex, count).CopyTo(new Span<T>(At(tensorIndex), count));
        else
            for (var i = 0; i < count; i++)
                *At(OffsetOf(tensorIndex + i)) = array[arrayIndex + i];
        GC.KeepAlive(_tensor);
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (long i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Nothing to do: the tensor owns the memory.</summary>
    public void Dispose() { }

    private T* At(long offset)
    {
        if (_tensor.IsInvalid)
            throw new ObjectDisposedException(nameof(torch.Tensor), "This tensor was disposed.");
        return _start + offset;
    }

    private long Offset(long[] indices)
    {
        if (indices.Length == 1 && _shape.Length != 1)
            return OffsetOf(indices[0]);
        if (indices.Length != _shape.Length)
            throw new ArgumentException($"{indices.Length} indices for a tensor of {_shape.Length} dimensions.");
        long offset = 0;
        for (var d = 0; d < indices.Length; d++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)indices[d], (ulong)_shape[d], nameof(indices));
            offset += indices[d] * _strides[d];
        }
        return offset;
    }

    private long OffsetOf(long position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)position, (ulong)Count, nameof(position));
        if (_contiguous)
            return position;
        long offset = 0;
        for (var d = _shape.Length - 1; d >= 0; d--)
        {
            (position, var index) = Math.DivRem(position, _shape[d]);
            offset += index * _strides[d];
        }
        return offset;
    }
}
