using CnnSpec.LibTorch.Native;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>
    /// A handle to a libtorch tensor. The innermost <see cref="DisposeScope"/> of the thread that makes it owns it; without
    /// one, dispose it, or leave it to the garbage collector, which does not know how much memory a tensor holds.
    /// </summary>
    public partial class Tensor : IDisposable
    {
        private nint _handle;

        internal Tensor(nint handle)
        {
            _handle = handle;
            DisposeScope.Current?.Attach(this);
        }

        ~Tensor() => Dispose(false);

        internal DisposeScope? OwningDisposeScope { get; set; }

        /// <summary>The native handle.</summary>
        /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
        public IntPtr Handle =>
            _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Tensor), "This tensor was disposed.");

        public bool IsInvalid => _handle == 0;

        public void Dispose()
        {
            OwningDisposeScope?.MarkAsDisposed(this);
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            var handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0)
                Check(NativeMethods.TensorFree(handle));
        }

        /// <summary>Gives the native handle away; this object is empty from then on.</summary>
        public IntPtr DecoupleFromNativeHandle()
        {
            OwningDisposeScope?.MarkAsDisposed(this);
            GC.SuppressFinalize(this);
            return Interlocked.Exchange(ref _handle, 0);
        }

        /// <summary>Wraps a native handle that the caller owns.</summary>
        public static Tensor UnsafeCreateTensor(IntPtr handle) => new(handle);

        /// <summary>A further handle to the same tensor: same memory, same gradient.</summary>
        public Tensor alias()
        {
            Check(NativeMethods.TensorCloneHandle(Handle, out var clone));
            GC.KeepAlive(this);
            return new Tensor(clone);
        }

        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (OwningDisposeScope is { } owner)
                owner.MoveToOther(other, this);
            else
                other?.Attach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.OwningDisposeScope);

        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

        /// <summary>Whether both have the same shape and elements.</summary>
        public bool Equals(Tensor target) => CnnSpec.LibTorch.Aten.equal.CallScalar(this, target).ToBoolean();

        // Elements change; identity does not.
        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
    }
}
