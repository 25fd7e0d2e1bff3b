using System.Runtime.InteropServices;
using static CnnSpec.Kernels.NativeMethods;

namespace CnnSpec.Kernels;

/// <summary>
/// The native loops, over pointers. Shapes, ownership and what may be left out are documented in cnnspec_kernels.h. Load
/// libtorch first: the library then shares its OpenMP threads.
/// </summary>
public static unsafe class KernelLibrary
{
    private const int NoMemory = 1;

    private static readonly Lazy<bool> Present = new(() =>
        NativeLibrary.TryLoad(Library, typeof(KernelLibrary).Assembly, null, out _)
        && cnnspec_kernels_abi() == Abi
        // It may have been compiled for another processor alone.
        && *cnnspec_kernels_level() != 0
    );

    /// <summary>Whether the library was compiled for this machine, and loads.</summary>
    public static bool IsPresent => Present.Value;

    /// <summary>The level of vector instructions in use: <c>base</c>, <c>avx2</c> or <c>avx512</c>.</summary>
    public static string Level => Marshal.PtrToStringUTF8((nint)cnnspec_kernels_level())!;

    /// <summary>Whether the processor multiplies matrices of bfloat16 (AMX).</summary>
    public static bool HasMatrixUnits => cnnspec_has_matrix_units() != 0;

    /// <summary>Chooses a level, before anything is computed.</summary>
    /// <returns>False where the processor or the library lacks it.</returns>
    public static bool Use(string level) => cnnspec_kernels_use(level) == 0;

    public static void BatchNormForward(in BatchNormShape norm, Rows x, Rows addend, Rows y) =>
        Check(cnnspec_batch_norm_forward(norm, x, addend, y));

    public static void BatchNormBackward(
        in BatchNormShape norm,
        Rows dy,
        Rows x,
        Rows y,
        Rows masked,
        Rows passed,
        Rows dx,
        nint dweight,
        nint dbias
    ) => Check(cnnspec_batch_norm_backward(norm, dy, x, y, masked, passed, dx, dweight, dbias));

    public static void BatchNormEvaluate(in BatchNormShape norm, Rows x, Rows addend, Rows y) =>
        Check(cnnspec_batch_norm_evaluate(norm, x, addend, y));

    public static void CopyRows(RowShape shape, Rows from, Rows to) =>
        Check(cnnspec_copy_rows((int)shape.Element, shape.Rows, shape.Channels, from, to));

    public static void AddRelu(RowShape shape, Rows y, Rows addend, bool relu) =>
        Check(cnnspec_add_relu((int)shape.Element, shape.Rows, shape.Channels, y, addend, relu ? 1 : 0));

    public static void ChannelSums(RowShape shape, Rows x, nint sums) =>
        Check(cnnspec_channel_sums((int)shape.Element, shape.Rows, shape.Channels, x, sums));

    public static void MaxPool(Element element, in PoolShape shape, bool relu, nint x, nint y, nint position) =>
        Check(cnnspec_max_pool((int)element, shape, relu ? 1 : 0, x, y, position));

    public static void MaxPoolBackward(
        Element element,
        in PoolShape shape,
        nint dy,
        nint position,
        nint passed,
        nint dx
    ) => Check(cnnspec_max_pool_backward((int)element, shape, dy, position, passed, dx));

    public static bool HasConv(Element element, in ConvShape shape, ConvProduct product) =>
        cnnspec_conv_has((int)element, shape, (int)product) != 0;

    public static void ConvOutput(Element element, in ConvShape shape, nint x, nint weight, nint bias, nint y) =>
        Check(cnnspec_conv_output((int)element, shape, x, weight, bias, y));

    public static void ConvInputGradient(
        Element element,
        in ConvShape shape,
        nint dy,
        nint weight,
        nint passed,
        nint dx
    ) => Check(cnnspec_conv_input_gradient((int)element, shape, dy, weight, passed, dx));

    public static void ConvWeightGradient(Element element, in ConvShape shape, nint x, nint dy, nint dweight) =>
        Check(cnnspec_conv_weight_gradient((int)element, shape, x, dy, dweight));

    /// <summary>A convolution whose weight stays, turned into what the loops read.</summary>
    /// <returns>0 where there is no form for it; else give it to <see cref="Free"/> when done.</returns>
    public static nint Prepare(Element element, in ConvShape shape, nint weight)
    {
        Check(cnnspec_conv_prepare((int)element, shape, weight, out nint prepared));
        return prepared;
    }

    public static bool HasPrepared(nint prepared, in ConvShape shape) => cnnspec_prepared_has(prepared, shape) != 0;

    public static void RunPrepared(
        nint prepared,
        in ConvShape shape,
        nint x,
        nint bias,
        nint addend,
        bool relu,
        nint y
    ) => Check(cnnspec_prepared_run(prepared, shape, x, bias, addend, relu ? 1 : 0, y));

    public static void Free(nint prepared) => cnnspec_prepared_free(prepared);

    public static void Sgd(
        ReadOnlySpan<ParameterMemory> parameters,
        double rate,
        double momentum,
        double dampening,
        double decay,
        bool nesterov
    )
    {
        fixed (ParameterMemory* first = parameters)
            Check(
                cnnspec_sgd(
                    first,
                    parameters.Length,
                    (float)rate,
                    (float)momentum,
                    (float)(1 - dampening),
                    (float)decay,
                    nesterov ? 1 : 0
                )
            );
    }

    public static void Adam(
        ReadOnlySpan<ParameterMemory> parameters,
        double beta1,
        double beta2,
        double epsilon,
        double decay,
        double shrink
    )
    {
        fixed (ParameterMemory* first = parameters)
            Check(
                cnnspec_adam(
                    first,
                    parameters.Length,
                    (float)beta1,
                    (float)beta2,
                    (float)epsilon,
                    (float)decay,
                    (float)shrink
                )
            );
    }

    /// <summary>The sum of all gradients' absolute values.</summary>
    public static double Magnitude(ReadOnlySpan<ParameterMemory> parameters)
    {
        fixed (ParameterMemory* first = parameters)
        {
            Check(cnnspec_magnitude(first, parameters.Length, out double sum));
            return sum;
        }
    }

    private static void Check(int status)
    {
        if (status == NoMemory)
            throw new OutOfMemoryException("the kernels found no memory for what they work out on the way");
        if (status != 0)
            throw new NotSupportedException("the kernels do not compute this shape");
    }
}
