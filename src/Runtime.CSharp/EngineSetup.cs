using CnnSpec.Operators;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime;

/// <summary>
/// The one place that knows which engine is underneath: <c>TorchEngine=libtorch</c> (our binding) or
/// <c>TorchEngine=torchsharp</c> (the official packages).
/// </summary>
public static class EngineSetup
{
#if TORCH_ENGINE_LIBTORCH
    private static readonly (string What, string Help) DoesNotLoad = (
        "the engine's native library does not load: libtorch is missing or was replaced",
        "run 'dotnet fsi build.fsx setup', which installs libtorch and builds the library"
    );

    private static void Load() => _ = LibTorch.Engine.Threads;

    /// <summary>The engine and its version, for run folders and messages.</summary>
    public static string Description => $"libtorch {LibTorch.Engine.Version}";

    /// <summary>Threads of one operation; libtorch's own default is wrong where cores are few.</summary>
    public static int Threads
    {
        get => LibTorch.Engine.Threads;
        set => LibTorch.Engine.Threads = value;
    }

    /// <summary>Maps <c>[N,C,H,W]</c> with their channels next to each other in memory; other tensors as they are.</summary>
    internal static Tensor ChannelsLast(Tensor tensor) =>
        tensor.dim() == 4 ? LibTorch.TensorLayout.ChannelsLast(tensor) : tensor.alias();

    /// <summary><c>act(batch_norm(x) + addend)</c> in one operator.</summary>
    internal static Tensor Normalise(Tensor x, Tensor? addend, in BatchNorm n) =>
        LibTorch.FusedKernels.Normalise(
            x,
            addend,
            n.Scale,
            n.Shift,
            n.Mean,
            n.Variance,
            n.Training,
            n.Norm.Momentum,
            n.Norm.Epsilon,
            n.Relu
        );

    /// <summary><see cref="Normalise"/> of a part of the channels of <paramref name="x"/> without an addend, and, where it
    /// <paramref name="forks"/>, <paramref name="x"/> for its later readers, whose gradient is taken in the same pass.</summary>
    internal static (Tensor Result, Tensor Input) NormalisePart(
        Tensor x,
        (long First, long Count) part,
        bool forks,
        in BatchNorm n
    ) =>
        LibTorch.FusedKernels.NormalisePart(
            x,
            part.First,
            part.Count,
            forks,
            n.Scale,
            n.Shift,
            n.Mean,
            n.Variance,
            n.Training,
            n.Norm.Momentum,
            n.Norm.Epsilon,
            n.Relu
        );

    /// <summary>Concatenation by channel in memory that is shared: see <c>Kernel.Join</c>.</summary>
    internal static Tensor Join(Tensor[] pieces, int? within, long before, long after) =>
        LibTorch.FusedKernels.Concat(pieces, within, before, after);

    /// <summary>Max pooling, then ReLU where asked, by the engine's own kernel; null where it has none for these windows.</summary>
    internal static Operation? MaxPool(MaxPooling pool, bool relu)
    {
        if (Windows(pool) is not var (kernel, stride, padding))
            return null;
        return (x, _, _) => LibTorch.FusedKernels.MaxPool(x[0], kernel, stride, padding, pool.Ceil, relu);
    }

    /// <summary><see cref="MaxPool"/>, and its input for the later readers, whose gradient is taken in the same pass.</summary>
    internal static ForkingOperation? MaxPoolFork(MaxPooling pool, bool relu)
    {
        if (Windows(pool) is not var (kernel, stride, padding))
            return null;
        return (x, _, _) => LibTorch.FusedKernels.MaxPoolFork(x, kernel, stride, padding, pool.Ceil, relu);
    }

    private static (long[] Kernel, long[] Stride, long[] Padding)? Windows(MaxPooling pool) =>
        pool.Dilation.Height != 1 || pool.Dilation.Width != 1
            ? null
            : (
                [pool.Kernel.Height, pool.Kernel.Width],
                [pool.Stride.Height, pool.Stride.Width],
                [pool.Padding.Height, pool.Padding.Width]
            );

    /// <summary>Whether a convolution takes float32 weights beside bfloat16 maps.</summary>
    internal const bool MixesPrecisions = true;

    /// <summary>Whether a GPU has convolutions of bfloat16.</summary>
    internal static bool ConvolvesInBFloat16(Device device) => LibTorch.Engine.ConvolvesInBFloat16(device);

    /// <summary>A convolution by the engine's own kernels where they are the faster; null where it has none.</summary>
    internal static Operation? Convolve(Convolution conv)
    {
        var (stride, padding, dilation) = Windows(conv);
        return (x, w, _) =>
            LibTorch.FusedKernels.Convolve(
                x[0],
                w[0],
                w.Count > 1 ? w[1] : null,
                stride,
                padding,
                dilation,
                conv.Groups
            );
    }

    /// <summary><see cref="Convolve"/>, and its input for the later readers, whose gradient is taken in the same pass.</summary>
    internal static ForkingOperation? ConvolveFork(Convolution conv)
    {
        var (stride, padding, dilation) = Windows(conv);
        return (x, w, _) =>
            LibTorch.FusedKernels.ConvolveFork(
                x,
                w[0],
                w.Count > 1 ? w[1] : null,
                stride,
                padding,
                dilation,
                conv.Groups
            );
    }

    /// <summary>A convolution of evaluation, <c>act(convolution(x₀) + x₁)</c>, with filters made ready for it once; null where the
    /// engine has none. Dispose what it owns when the weights change.</summary>
    internal static (Operation Run, IDisposable Owned)? Prepare(
        Convolution conv,
        Tensor[] weights,
        ScalarType type,
        bool sum,
        bool relu
    )
    {
        if (conv.Groups != 1)
            return null;
        var (stride, padding, dilation) = Windows(conv);
        var bias = weights.Length > 1 ? weights[1] : null;
        var prepared = new LibTorch.PreparedConvolution(weights[0], bias, type, stride, padding, dilation);
        return ((x, _, _) => prepared.Call(x[0], sum ? x[1] : null, relu), prepared);
    }

    private static (long[] Stride, long[] Padding, long[] Dilation) Windows(Convolution conv) =>
        (
            [conv.Stride.Height, conv.Stride.Width],
            [conv.Padding.Top, conv.Padding.Left],
            [conv.Dilation.Height, conv.Dilation.Width]
        );

    /// <summary><c>y = act(y + addend)</c> in place, where no gradient is asked for.</summary>
    internal static void AddRelu(Tensor y, Tensor? addend, bool relu) => LibTorch.FusedKernels.AddRelu(y, addend, relu);

    /// <summary>The sum of all tensors' absolute values, as one number that stays on their device.</summary>
    internal static Tensor Magnitude(Tensor[] tensors) => LibTorch.FusedKernels.Magnitude(tensors);

    /// <summary>A number that grows with every change of one of the tensors; null where the engine cannot tell.</summary>
    internal static long? Versions(Tensor[] tensors) => LibTorch.FusedKernels.Versions(tensors);

    /// <summary>Captures work as CUDA graphs; null where there are none, or each operation is to be by itself. Work of the calling
    /// thread leaves CUDA's default stream for it.</summary>
    internal static Training.Capture? Capturing(Execution execution)
    {
        if (!execution.Fused || execution.Device.type != DeviceType.CUDA || !LibTorch.CudaGraph.IsSupported)
            return null;
        LibTorch.CudaGraph.LeaveDefaultStream(execution.Device);
        return work =>
        {
            var graph = LibTorch.CudaGraph.Capture(work);
            return (graph.Replay, graph);
        };
    }
#else
    public static string Description => $"TorchSharp {typeof(torch).Assembly.GetName().Version}";

    public static int Threads
    {
        get => get_num_threads();
        set => set_num_threads(value);
    }

    private static readonly (string What, string Help) DoesNotLoad = (
        "TorchSharp's libtorch does not load: its packages want a newer system, or lack this one's library",
        "delete artifacts/engine and run 'CNNSPEC_ENGINE=libtorch dotnet fsi build.fsx setup'"
    );

    private static void Load()
    {
        // TorchSharp would write its search for the library to the console.
        string library = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        if (File.Exists(library))
            System.Runtime.InteropServices.NativeLibrary.Load(library);
        InitializeDeviceType(DeviceType.CPU);
    }

    internal static Tensor ChannelsLast(Tensor tensor) => tensor.alias();

    internal static Tensor Normalise(Tensor x, Tensor? addend, in BatchNorm n)
    {
        using var scope = NewDisposeScope();
        var (momentum, epsilon) = (n.Norm.Momentum, n.Norm.Epsilon);
        var y = nn.functional.batch_norm(x, n.Mean, n.Variance, n.Scale, n.Shift, n.Training, momentum, epsilon);
        if (addend is not null)
            y = y.add(addend);
        return (n.Relu ? y.relu() : y).MoveToOuterDisposeScope();
    }

    internal static (Tensor Result, Tensor Input) NormalisePart(
        Tensor x,
        (long First, long Count) part,
        bool forks,
        in BatchNorm n
    )
    {
        using var channels = x.narrow(1, part.First, part.Count);
        return (Normalise(channels, null, n), x.alias());
    }

    internal static Tensor Join(Tensor[] pieces, int? within, long before, long after) => cat(pieces, 1);

    internal static Operation? MaxPool(MaxPooling pool, bool relu) => null;

    internal static ForkingOperation? MaxPoolFork(MaxPooling pool, bool relu) => null;

    internal const bool MixesPrecisions = false;

    internal static bool ConvolvesInBFloat16(Device device) => true;

    internal static Operation? Convolve(Convolution conv) => null;

    internal static ForkingOperation? ConvolveFork(Convolution conv) => null;

    internal static (Operation Run, IDisposable Owned)? Prepare(
        Convolution conv,
        Tensor[] weights,
        ScalarType type,
        bool sum,
        bool relu
    ) => null;

    internal static void AddRelu(Tensor y, Tensor? addend, bool relu)
    {
        if (addend is not null)
            y.add_(addend);
        if (relu)
            y.relu_();
    }

    internal static Tensor Magnitude(Tensor[] tensors)
    {
        using var scope = NewDisposeScope();
        return stack(tensors.Select(tensor => tensor.norm(1f))).sum().MoveToOuterDisposeScope();
    }

    internal static long? Versions(Tensor[] tensors) => null;

    internal static Training.Capture? Capturing(Execution execution) => null;
#endif

    /// <summary>The device of a name: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>, or <c>auto</c>, a GPU where there is one.</summary>
    /// <exception cref="EnvironmentError">There is no such device, it does not work, or there is no engine.</exception>
    public static Device Find(string name)
    {
        Initialise();
        var device =
            name != "auto" ? new Device(name)
            : cuda.is_available() ? CUDA
            : CPU;
        int there = device.type == DeviceType.CUDA ? cuda.device_count() : 0;
        if (device.type == DeviceType.CUDA && device.index >= there)
            throw new EnvironmentError(
                $"there is no device {name}: {Description} sees {(there == 0 ? "no GPU" : $"{there} of them")}",
                there == 0
                    ? "use --device cpu, or a GPU's driver and a libtorch built for CUDA: see docs/engine.md"
                    : $"the first is cuda:0, the last cuda:{there - 1}"
            );
        if (device.type == DeviceType.CUDA)
            Try(device);
        return device;
    }

    /// <summary>libtorch may have no kernels for a GPU that it sees, and another program may have it to itself.</summary>
    private static void Try(Device device)
    {
        try
        {
            using var scope = NewDisposeScope();
            _ = ones(1, device: device).add(1).cpu();
        }
        catch (System.Runtime.InteropServices.ExternalException e)
        {
            throw new EnvironmentError(
                $"the GPU {device} does not work: {e.Message.Split('\n')[0]}",
                "use --device cpu, or a libtorch and a driver for this GPU: see docs/engine.md",
                e
            );
        }
    }

    /// <summary>Waits until a device has done what it was asked to: a GPU answers before.</summary>
    internal static void Finish(Device device)
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize(device);
    }

    /// <summary>Loads the engine and gives it so many threads; null for all processors.</summary>
    /// <exception cref="EnvironmentError">The engine's native library is missing or does not load.</exception>
    public static void Initialise(int? threads = null)
    {
        try
        {
            Load();
        }
        catch (Exception e)
            when (e
                    is DllNotFoundException
                        or BadImageFormatException
                        or TypeInitializationException
                        or EntryPointNotFoundException
                        or NotSupportedException
            )
        {
            throw new EnvironmentError(DoesNotLoad.What, DoesNotLoad.Help, e);
        }
        Threads = threads ?? Environment.ProcessorCount;
    }
}
