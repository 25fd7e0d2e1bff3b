using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>The order of a tensor's elements in memory, which TorchSharp 0.106 gives no hand on.</summary>
public static class TensorLayout
{
    /// <summary>
    /// The same <c>[N,C,H,W]</c> tensor with its channels next to each other in memory, which convolutions on many
    /// devices run faster on. Its shape and its results do not change. A tensor that lies so already is only aliased.
    /// </summary>
    public static Tensor ChannelsLast(this Tensor tensor) => tensor.Contiguous(memory_format.channels_last);

    /// <summary>The tensor with its elements in the given order; an alias where they lie so already.</summary>
    public static Tensor Contiguous(this Tensor tensor, memory_format format) => Aten.contiguous.Call(tensor, format);

    /// <summary>Whether the elements lie in the given order without gaps.</summary>
    public static bool IsContiguous(this Tensor tensor, memory_format format) => tensor.IsContiguous(format);

    /// <summary>Turns every four-dimensional parameter and buffer of the module to channels-last, in place.</summary>
    public static T ChannelsLast<T>(this T module)
        where T : nn.Module
    {
        foreach (var tensor in module.parameters().Concat(module.buffers()))
        {
            if (tensor.dim() != 4)
                continue;
            using var turned = tensor.detach().DetachFromDisposeScope();
            using var laid = turned.ChannelsLast().DetachFromDisposeScope();
            tensor.SetData(laid);
        }
        return module;
    }
}
