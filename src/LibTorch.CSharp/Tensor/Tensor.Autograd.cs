using CnnSpec.LibTorch;
using CnnSpec.LibTorch.Native;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Whether operators on this tensor are recorded for gradients.</summary>
        public bool requires_grad
        {
            get
            {
                Check(NativeMethods.TensorRequiresGrad(Handle, out var value));
                GC.KeepAlive(this);
                return value != 0;
            }
            set
            {
                Check(NativeMethods.TensorSetRequiresGrad(Handle, value ? (sbyte)1 : (sbyte)0));
                GC.KeepAlive(this);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        /// <summary>Whether gradients end here: it was made by the user rather than by a recorded operator.</summary>
        public bool is_leaf
        {
            get
            {
                Check(NativeMethods.TensorIsLeaf(Handle, out var value));
                GC.KeepAlive(this);
                return value != 0;
            }
        }

        /// <summary>The gradient that <see cref="backward()"/> left, of this tensor's shape; null before the first.</summary>
        public Tensor? grad
        {
            get
            {
                Check(NativeMethods.TensorGrad(Handle, out var handle));
                GC.KeepAlive(this);
                return handle == 0 ? null : new Tensor(handle);
            }
            set
            {
                Check(NativeMethods.TensorSetGrad(Handle, value?.Handle ?? 0));
                GC.KeepAlive(this);
                GC.KeepAlive(value);
            }
        }

        /// <summary>Adds the derivatives of this scalar to the gradient of every leaf it was computed from.</summary>
        public void backward() => Backward(null, false, false);

        public void backward(
            IList<Tensor>? grad_tensors = null,
            bool retain_graph = false,
            bool create_graph = false,
            IList<Tensor>? inputs = null
        )
        {
            if (inputs is not null)
                throw new NotSupportedException("This engine computes gradients for every leaf; pass no inputs.");
            if (grad_tensors is { Count: > 1 })
                throw new ArgumentException("One tensor takes one gradient.", nameof(grad_tensors));
            Backward(grad_tensors is { Count: 1 } ? grad_tensors[0] : null, retain_graph, create_graph);
        }

        private void Backward(Tensor? gradient, bool retainGraph, bool createGraph)
        {
            var retain = retainGraph || createGraph ? (sbyte)1 : (sbyte)0;
            var create = createGraph ? (sbyte)1 : (sbyte)0;
            Check(NativeMethods.TensorBackward(Handle, gradient?.Handle ?? 0, retain, create));
            GC.KeepAlive(this);
            GC.KeepAlive(gradient);
        }

        /// <summary>The same memory, out of every gradient.</summary>
        public Tensor detach() => Aten.detach.Call(this);

        public Tensor detach_() => Aten.detach_.Update(this);

        public void retain_grad() => Aten.retain_grad.Run(this);

        /// <summary>Puts other memory under this tensor, which stays the same variable to autograd and optimizers.</summary>
        internal void SetData(Tensor data)
        {
            Check(NativeMethods.TensorSetData(Handle, data.Handle));
            GC.KeepAlive(this);
            GC.KeepAlive(data);
        }
    }

    /// <summary>Gradients of tensors.</summary>
    public static class autograd
    {
        public static void backward(
            Tensor tensor,
            Tensor grad_tensor,
            bool? retain_graph = null,
            bool create_graph = false,
            IList<Tensor>? inputs = null
        ) => tensor.backward([grad_tensor], retain_graph ?? create_graph, create_graph, inputs);
    }
}
