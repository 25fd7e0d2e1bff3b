using CnnSpec.LibTorch.Native;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Nothing computed until it is disposed is recorded for gradients, on this thread.</summary>
    public static IDisposable no_grad() => new GradModeScope(false);

    /// <summary>The reverse of <see cref="no_grad"/>, for use inside it.</summary>
    public static IDisposable enable_grad(bool enabled = true) => new GradModeScope(enabled);

    public static bool is_grad_enabled()
    {
        Check(NativeMethods.GradMode(out var enabled));
        return enabled != 0;
    }

    /// <summary>As <see cref="no_grad"/>, and its tensors can never take part in gradients, which saves more.</summary>
    public static IDisposable inference_mode(bool mode = true) => new InferenceModeScope(mode);

    public static bool is_inference_mode_enabled()
    {
        Check(NativeMethods.InferenceMode(out var enabled));
        return enabled != 0;
    }

    private sealed class GradModeScope : IDisposable
    {
        private readonly bool _before = is_grad_enabled();
        private bool _left;

        public GradModeScope(bool enabled) => Check(NativeMethods.SetGradMode(enabled ? (sbyte)1 : (sbyte)0));

        public void Dispose()
        {
            if (_left)
                return;
            _left = true;
            Check(NativeMethods.SetGradMode(_before ? (sbyte)1 : (sbyte)0));
        }
    }

    private sealed class InferenceModeScope : IDisposable
    {
        private nint _guard;

        public InferenceModeScope(bool enabled) =>
            Check(NativeMethods.InferenceModeEnter(enabled ? (sbyte)1 : (sbyte)0, out _guard));

        // The guard restores this thread's state, so a finalizer must not run it on another one: there is none.
        public void Dispose()
        {
            var guard = Interlocked.Exchange(ref _guard, 0);
            if (guard != 0)
                Check(NativeMethods.InferenceModeLeave(guard));
        }
    }
}
