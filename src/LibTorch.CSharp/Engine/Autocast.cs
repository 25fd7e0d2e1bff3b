using CnnSpec.LibTorch.Native;
using TorchSharp;
using static CnnSpec.LibTorch.Native.NativeStatus;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>
/// Until it is disposed, operators that gain from a shorter float run in it on this thread, and those that would lose
/// precision keep float32. Wrap the forward pass and the loss; call <c>backward</c> outside.
/// </summary>
public sealed class Autocast : IDisposable
{
    private readonly DeviceType _device;
    private readonly sbyte _enabledBefore;
    private readonly sbyte _dtypeBefore;
    private bool _left;

    /// <param name="device">Whose operators are cast: CPU or CUDA.</param>
    /// <param name="dtype">bfloat16, or on CUDA float16.</param>
    /// <param name="enabled">False switches autocast off inside another one.</param>
    public Autocast(DeviceType device, ScalarType dtype = ScalarType.BFloat16, bool enabled = true)
    {
        if (device is not (DeviceType.CPU or DeviceType.CUDA))
            throw new ArgumentException($"Autocast is for CPU and CUDA, not {device}.", nameof(device));
        if (dtype is not (ScalarType.BFloat16 or ScalarType.Float16))
            throw new ArgumentException($"Autocast is to bfloat16 or float16, not {dtype}.", nameof(dtype));
        _device = device;
        Check(NativeMethods.Autocast((int)device, out _enabledBefore, out _dtypeBefore));
        Check(NativeMethods.SetAutocast((int)device, enabled ? (sbyte)1 : (sbyte)0, (sbyte)dtype));
        Check(NativeMethods.AutocastNesting(1));
    }

    /// <summary>Whether operators on this device are being cast on this thread.</summary>
    public static bool IsEnabled(DeviceType device)
    {
        Check(NativeMethods.Autocast((int)device, out var enabled, out _));
        return enabled != 0;
    }

    public void Dispose()
    {
        if (_left)
            return;
        _left = true;
        Check(NativeMethods.SetAutocast((int)_device, _enabledBefore, _dtypeBefore));
        Check(NativeMethods.AutocastNesting(-1));
    }
}
