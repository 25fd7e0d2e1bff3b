using CnnSpec.LibTorch.Native;
using TorchSharp;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace CnnSpec.LibTorch;

/// <summary>
/// Work of a GPU that was captured once and is launched whole, as <c>torch.cuda.graph</c>. A replay reads and writes the memory that
/// the captured work did: put new inputs into the same tensors. Random numbers go on from the seed of the moment.
/// </summary>
public sealed class CudaGraph : IDisposable
{
    private nint _handle;

    private CudaGraph(nint handle) => _handle = handle;

    /// <summary>Whether the engine was built over a libtorch for CUDA, and with CUDA's headers.</summary>
    public static bool IsSupported
    {
        get
        {
            Check(NativeMethods.CudaGraphs(out sbyte available));
            return available != 0;
        }
    }

    /// <summary>Sends all further work of this thread to a stream of its own: the default one cannot be captured.</summary>
    /// <exception cref="LibTorchException">There is no such device, or <see cref="IsSupported"/> is false.</exception>
    public static void LeaveDefaultStream(torch.Device device) =>
        Check(NativeMethods.CudaLeaveDefaultStream(Math.Max(device.index, 0)));

    /// <summary>Captures what the work asks of the GPU, without doing it. It must not wait for the GPU, read a value back, or copy
    /// from the processor's memory, and must have been done before, so that nothing is set up for the first time.</summary>
    /// <exception cref="LibTorchException">It did what cannot be captured, or memory ran out. Nothing was done.</exception>
    public static CudaGraph Capture(Action work)
    {
        Check(NativeMethods.CudaGraphBegin(out nint handle));
        var graph = new CudaGraph(handle);
        bool asked = false;
        try
        {
            work();
            asked = true;
            Check(NativeMethods.CudaGraphEnd(handle));
            return graph;
        }
        catch
        {
            // Leaves the stream able to work; that the capture is broken is known.
            if (!asked)
                _ = NativeMethods.CudaGraphEnd(handle);
            graph.Dispose();
            throw;
        }
    }

    /// <summary>Launches the work, and does not wait for it.</summary>
    /// <exception cref="LibTorchException">The device refused.</exception>
    public void Replay()
    {
        ObjectDisposedException.ThrowIf(_handle == 0, this);
        Check(NativeMethods.CudaGraphReplay(_handle));
    }

    /// <summary>Gives the memory of the captured work back; wait for the last replay before.</summary>
    public void Dispose()
    {
        nint handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
            Check(NativeMethods.CudaGraphFree(handle));
    }
}
