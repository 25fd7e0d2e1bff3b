using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// What one stage of a network computes, and its gradient. There are two ways to run it: <see cref="Run"/>, under whatever
/// gradient mode is on, and <see cref="Record"/> with <see cref="Backward"/>, by which a <see cref="Recording"/> differentiates
/// a whole network without an entry of autograd for each stage.
/// </summary>
internal abstract class Computation
{
    /// <summary>Batched inputs to a batched output, a new handle of the caller's.</summary>
    public abstract Tensor Run(IReadOnlyList<Tensor> x, bool training);

    /// <summary><see cref="Run"/> in training, without autograd, that keeps what the gradient needs.</summary>
    public abstract Tensor Record(IReadOnlyList<Tensor> x, Kept kept);

    /// <summary>Hands on the gradient of what <see cref="Record"/> gave.</summary>
    /// <param name="dy">Of the output: its shape and type, in any layout.</param>
    public abstract void Backward(Tensor dy, Kept kept, Gradients gradients);
}

/// <summary>What a stage keeps from its forward pass for its backward pass.</summary>
internal sealed class Kept
{
    /// <summary>Which inputs a gradient is wanted of.</summary>
    public required bool[] Wanted { get; init; }

    /// <summary>Handles of its own.</summary>
    public List<Tensor> Tensors { get; } = [];

    /// <summary>How many they were when they were handed over to somebody else.</summary>
    public int Count { get; set; }

    /// <summary>What is not a tensor.</summary>
    public object? Shape { get; set; }

    public void Add(Tensor tensor) => Tensors.Add(tensor.DetachFromDisposeScope());

    public void Dispose()
    {
        foreach (var tensor in Tensors)
            tensor.Dispose();
        Tensors.Clear();
    }
}
