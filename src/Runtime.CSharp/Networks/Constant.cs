using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>Numbers that a computation needs again and again: copied to a device once, when they are first asked for there.</summary>
/// <param name="shape">Of the tensor that they make.</param>
internal sealed class Constant(float[] values, params long[] shape)
{
    private Tensor? _there;

    /// <summary>Lives as long as this does.</summary>
    public Tensor On(Device device)
    {
        if (_there is null || _there.device_type != device.type || _there.device.index != device.index)
            _there = tensor(values, shape, device: device).DetachFromDisposeScope();
        return _there;
    }
}
