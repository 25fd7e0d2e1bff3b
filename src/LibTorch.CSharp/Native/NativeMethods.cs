using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CnnSpec.LibTorch.Native;

/// <summary>One argument or result of an operator as it crosses to native code: <c>CnnspecValue</c> in Abi.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeValue
{
    public long Tag;
    public long Payload;
    public long Length;
}

/// <summary>
/// The C ABI of src/LibTorch.Native/Abi.h, name for name. A function answers 0, or not 0 and leaves the reason with
/// <see cref="TakeError"/>; <see cref="NativeStatus.Check"/> turns that into an exception.
/// </summary>
/// <remarks>
/// The reads marked <see cref="SuppressGCTransitionAttribute"/> touch a few fields of the tensor and take nanoseconds:
/// no lock, no allocation, no call back. Nothing else may be marked so: a thread inside such a call holds up the
/// garbage collector.
/// </remarks>
internal static unsafe partial class NativeMethods
{
    private const string Library = "cnnspec_torch";

    [LibraryImport(Library, EntryPoint = "cnnspec_take_error")]
    public static partial byte* TakeError();

    [LibraryImport(Library, EntryPoint = "cnnspec_free_memory")]
    public static partial void FreeMemory(void* memory);

    [LibraryImport(Library, EntryPoint = "cnnspec_find_operator", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int FindOperator(string name, string overload, out nint op);

    [LibraryImport(Library, EntryPoint = "cnnspec_operator_schema")]
    public static partial int OperatorSchema(nint op, out byte* text);

    [LibraryImport(Library, EntryPoint = "cnnspec_invoke")]
    public static partial int Invoke(
        nint op,
        NativeValue* args,
        long nargs,
        NativeValue* results,
        long capacity,
        long* nresults
    );

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_from_memory")]
    public static partial int TensorFromMemory(
        void* data,
        long bytes,
        long* shape,
        long ndim,
        sbyte dtype,
        out nint tensor
    );

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_copy_to_memory")]
    public static partial int TensorCopyToMemory(nint tensor, void* data, long bytes);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_clone_handle")]
    public static partial int TensorCloneHandle(nint tensor, out nint clone);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_free")]
    public static partial int TensorFree(nint tensor);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_ndim"), SuppressGCTransition]
    public static partial int TensorNdim(nint tensor, out long ndim);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_shape"), SuppressGCTransition]
    public static partial int TensorShape(nint tensor, long* shape);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_strides"), SuppressGCTransition]
    public static partial int TensorStrides(nint tensor, long* strides);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_numel"), SuppressGCTransition]
    public static partial int TensorNumel(nint tensor, out long numel);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_dtype"), SuppressGCTransition]
    public static partial int TensorDtype(nint tensor, out sbyte dtype);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_device"), SuppressGCTransition]
    public static partial int TensorDevice(nint tensor, out int type, out int index);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_data")]
    public static partial int TensorData(nint tensor, out void* data);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_storage_offset"), SuppressGCTransition]
    public static partial int TensorStorageOffset(nint tensor, out long offset);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_is_contiguous")]
    public static partial int TensorIsContiguous(nint tensor, sbyte memoryFormat, out sbyte contiguous);

    [LibraryImport(Library, EntryPoint = "cnnspec_live_tensors"), SuppressGCTransition]
    public static partial long LiveTensors();

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_requires_grad"), SuppressGCTransition]
    public static partial int TensorRequiresGrad(nint tensor, out sbyte requiresGrad);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_set_requires_grad")]
    public static partial int TensorSetRequiresGrad(nint tensor, sbyte requiresGrad);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_is_leaf")]
    public static partial int TensorIsLeaf(nint tensor, out sbyte isLeaf);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_grad")]
    public static partial int TensorGrad(nint tensor, out nint grad);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_set_grad")]
    public static partial int TensorSetGrad(nint tensor, nint grad);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_set_data")]
    public static partial int TensorSetData(nint tensor, nint data);

    [LibraryImport(Library, EntryPoint = "cnnspec_tensor_backward")]
    public static partial int TensorBackward(nint tensor, nint gradient, sbyte retainGraph, sbyte createGraph);

    [LibraryImport(Library, EntryPoint = "cnnspec_grad_mode"), SuppressGCTransition]
    public static partial int GradMode(out sbyte enabled);

    [LibraryImport(Library, EntryPoint = "cnnspec_set_grad_mode"), SuppressGCTransition]
    public static partial int SetGradMode(sbyte enabled);

    [LibraryImport(Library, EntryPoint = "cnnspec_inference_mode_enter")]
    public static partial int InferenceModeEnter(sbyte enabled, out nint guard);

    [LibraryImport(Library, EntryPoint = "cnnspec_inference_mode_leave")]
    public static partial int InferenceModeLeave(nint guard);

    [LibraryImport(Library, EntryPoint = "cnnspec_inference_mode")]
    public static partial int InferenceMode(out sbyte enabled);

    [LibraryImport(Library, EntryPoint = "cnnspec_autocast")]
    public static partial int Autocast(int deviceType, out sbyte enabled, out sbyte dtype);

    [LibraryImport(Library, EntryPoint = "cnnspec_set_autocast")]
    public static partial int SetAutocast(int deviceType, sbyte enabled, sbyte dtype);

    [LibraryImport(Library, EntryPoint = "cnnspec_autocast_nesting")]
    public static partial int AutocastNesting(int change);

    [LibraryImport(Library, EntryPoint = "cnnspec_manual_seed")]
    public static partial int ManualSeed(ulong seed);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_new")]
    public static partial int GeneratorNew(ulong seed, int deviceType, int deviceIndex, out nint generator);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_default")]
    public static partial int GeneratorDefault(int deviceType, int deviceIndex, out nint generator);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_free")]
    public static partial int GeneratorFree(nint generator);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_device")]
    public static partial int GeneratorDevice(nint generator, out int type, out int index);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_seed")]
    public static partial int GeneratorSeed(nint generator, out ulong seed);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_set_seed")]
    public static partial int GeneratorSetSeed(nint generator, ulong seed);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_random_seed")]
    public static partial int GeneratorRandomSeed(nint generator, out ulong seed);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_state")]
    public static partial int GeneratorState(nint generator, out nint state);

    [LibraryImport(Library, EntryPoint = "cnnspec_generator_set_state")]
    public static partial int GeneratorSetState(nint generator, nint state);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_graphs")]
    public static partial int CudaGraphs(out sbyte available);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_leave_default_stream")]
    public static partial int CudaLeaveDefaultStream(int index);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_graph_begin")]
    public static partial int CudaGraphBegin(out nint graph);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_graph_end")]
    public static partial int CudaGraphEnd(nint graph);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_graph_replay")]
    public static partial int CudaGraphReplay(nint graph);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_graph_free")]
    public static partial int CudaGraphFree(nint graph);

    [LibraryImport(Library, EntryPoint = "cnnspec_version")]
    public static partial int Version(out byte* text);

    [LibraryImport(Library, EntryPoint = "cnnspec_config")]
    public static partial int Config(out byte* text);

    [LibraryImport(Library, EntryPoint = "cnnspec_threads")]
    public static partial int Threads(out int threads);

    [LibraryImport(Library, EntryPoint = "cnnspec_set_threads")]
    public static partial int SetThreads(int threads);

    [LibraryImport(Library, EntryPoint = "cnnspec_interop_threads")]
    public static partial int InteropThreads(out int threads);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_device_count")]
    public static partial int CudaDeviceCount(out int count);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_bfloat16")]
    public static partial int CudaBFloat16(int index, out sbyte convolves);

    [LibraryImport(Library, EntryPoint = "cnnspec_cuda_synchronize")]
    public static partial int CudaSynchronize(int index);

    [LibraryImport(Library, EntryPoint = "cnnspec_deterministic")]
    public static partial int Deterministic(out sbyte enabled);

    [LibraryImport(Library, EntryPoint = "cnnspec_set_deterministic")]
    public static partial int SetDeterministic(sbyte enabled);
}
