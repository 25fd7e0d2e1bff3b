using CnnSpec.Ir;
using CnnSpec.Kernels;
using CnnSpec.Operators;
using CnnSpec.Runtime.Networks.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>What computes the stages of a network on the CPU.</summary>
internal interface IKernels
{
    /// <summary>The level of the native loops, or <c>none</c>.</summary>
    string Name { get; }

    /// <summary>Whether convolutions take float32 weights beside bfloat16 maps.</summary>
    bool MixesPrecisions { get; }

    /// <summary>A stage with a gradient of its own; null where it is TorchSharp's.</summary>
    /// <param name="weightType">What its weights are cast to; null where they stay.</param>
    Computation? ComputationOf(Ir.Stage stage, LayerWeights[] layers, ScalarType? weightType);

    /// <summary>A convolution of evaluation, <c>act(convolution(x₀) + x₁)</c>, with weights that stay.</summary>
    /// <returns>What it does, and what to dispose when the weights change.</returns>
    (Func<IReadOnlyList<Tensor>, Tensor> Run, IDisposable Owned) Prepare(
        Convolution conv,
        Tensor weight,
        Tensor? bias,
        ScalarType type,
        bool sum,
        bool relu
    );

    /// <summary><c>y = act(y + addend)</c> in place and without a gradient.</summary>
    void AddRelu(Tensor y, Tensor? addend, bool relu);
}

/// <summary>Which kernels this process uses, chosen once.</summary>
internal static class KernelChoice
{
    /// <summary>Forces a level, for tests and benchmarks: <c>none</c>, <c>base</c>, <c>avx2</c> or <c>avx512</c>.</summary>
    public const string Variable = "CNNSPEC_KERNELS";

    private static readonly Lazy<IKernels> Choice = new(Choose);

    /// <exception cref="EnvironmentError">The level that is asked for is not to be had.</exception>
    public static IKernels Chosen => Choice.Value;

    private static IKernels Choose()
    {
        // Its threads are libtorch's, which must be there first.
        TorchLibrary.Load();
        string asked = Environment.GetEnvironmentVariable(Variable) ?? "";
        if (asked == "none" || (asked == "" && !KernelLibrary.IsPresent))
            return ComposedKernels.Instance;
        if (!KernelLibrary.IsPresent)
            throw new EnvironmentError(
                $"{Variable} asks for {asked}, and the native kernels are not there",
                "install a C++ compiler and run 'dotnet fsi build.fsx setup', or unset the variable"
            );
        if (asked != "" && !KernelLibrary.Use(asked))
            throw new EnvironmentError(
                $"{Variable} is '{asked}', which this processor or this build does not have",
                "set it to none, base, avx2 or avx512, or unset it for the best"
            );
        return new NativeKernels();
    }
}

/// <summary>No loops of our own: TorchSharp's operations, on any device.</summary>
internal sealed class ComposedKernels : IKernels
{
    public static readonly ComposedKernels Instance = new();

    public string Name => "none";

    public bool MixesPrecisions => false;

    public Computation? ComputationOf(Ir.Stage stage, LayerWeights[] layers, ScalarType? weightType) => null;

    public (Func<IReadOnlyList<Tensor>, Tensor> Run, IDisposable Owned) Prepare(
        Convolution conv,
        Tensor weight,
        Tensor? bias,
        ScalarType type,
        bool sum,
        bool relu
    )
    {
        var convolve = Operations.For(Op.NewConv(conv));
        // Weights of our own, beside channels-last maps.
        var own = LayerWeights.Of(
            "",
            weight.detach().to(type).ChannelsLast().DetachFromDisposeScope(),
            bias?.detach().to(type, copy: true).DetachFromDisposeScope()
        );
        return (
            x =>
            {
                var y = convolve(x, own, training: false);
                AddRelu(y, sum ? x[1] : null, relu);
                return y;
            },
            new Disposing(own.All)
        );
    }

    public void AddRelu(Tensor y, Tensor? addend, bool relu)
    {
        if (addend is not null)
            y.Add(addend);
        if (relu)
            y.relu_();
    }

    private sealed class Disposing(IEnumerable<Tensor> tensors) : IDisposable
    {
        public void Dispose()
        {
            foreach (var tensor in tensors)
                tensor.Dispose();
        }
    }
}
