using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>Whether weights are still as they were.</summary>
internal sealed class WeightWatch(Tensor[] weights)
{
    private readonly Tensor[] _onCpu =
    [
        .. weights.Where(weight => weight.device_type == DeviceType.CPU && weight.numel() > 0),
    ];
    private (long Versions, int Samples)? _seen;

    /// <summary>Looks at all weights; true where none has changed since the last time, and there was one.</summary>
    /// <remarks>libtorch counts the changes that go through it. TorchSharp's <c>load</c> writes past it, as the holder of a
    /// span can: so three values of each weight are looked at too.</remarks>
    public bool IsUnchanged()
    {
        var now = (weights.Length == 0 ? 0 : TorchScript.Versions(weights), Samples());
        bool same = _seen == now;
        _seen = now;
        return same;
    }

    private unsafe int Samples()
    {
        var hash = new HashCode();
        foreach (var weight in _onCpu)
        {
            // Of eight bytes the lower four, where counters are.
            long words = weight.numel() * weight.element_size() / sizeof(int);
            var values = (int*)weight.Data();
            if (words == 0)
                continue;
            hash.Add(values[0]);
            hash.Add(values[words / 2]);
            hash.Add(values[words - 1]);
        }
        return hash.ToHashCode();
    }
}
