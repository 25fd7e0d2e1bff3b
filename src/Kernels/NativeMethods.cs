using System.Runtime.InteropServices;

namespace CnnSpec.Kernels;

/// <summary>cnnspec_kernels.h, word for word.</summary>
internal static unsafe partial class NativeMethods
{
    public const int Abi = 1;
    public const string Library = "cnnspec_kernels";

    [LibraryImport(Library)]
    public static partial int cnnspec_kernels_abi();

    [LibraryImport(Library)]
    public static partial byte* cnnspec_kernels_level();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int cnnspec_kernels_use(string level);

    [LibraryImport(Library)]
    public static partial int cnnspec_has_matrix_units();

    [LibraryImport(Library)]
    public static partial int cnnspec_batch_norm_forward(in BatchNormShape norm, Rows x, Rows addend, Rows y);

    [LibraryImport(Library)]
    public static partial int cnnspec_batch_norm_backward(
        in BatchNormShape norm,
        Rows dy,
        Rows x,
        Rows y,
        Rows masked,
        Rows passed,
        Rows dx,
        nint dweight,
        nint dbias
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_batch_norm_evaluate(in BatchNormShape norm, Rows x, Rows addend, Rows y);

    [LibraryImport(Library)]
    public static partial int cnnspec_copy_rows(int element, long rows, long channels, Rows from, Rows to);

    [LibraryImport(Library)]
    public static partial int cnnspec_add_relu(int element, long rows, long channels, Rows y, Rows addend, int relu);

    [LibraryImport(Library)]
    public static partial int cnnspec_channel_sums(int element, long rows, long channels, Rows x, nint sums);

    [LibraryImport(Library)]
    public static partial int cnnspec_max_pool(
        int element,
        in PoolShape shape,
        int relu,
        nint x,
        nint y,
        nint position
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_max_pool_backward(
        int element,
        in PoolShape shape,
        nint dy,
        nint position,
        nint passed,
        nint dx
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_conv_has(int element, in ConvShape shape, int product);

    [LibraryImport(Library)]
    public static partial int cnnspec_conv_output(
        int element,
        in ConvShape shape,
        nint x,
        nint weight,
        nint bias,
        nint y
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_conv_input_gradient(
        int element,
        in ConvShape shape,
        nint dy,
        nint weight,
        nint passed,
        nint dx
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_conv_weight_gradient(
        int element,
        in ConvShape shape,
        nint x,
        nint dy,
        nint dweight
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_conv_prepare(int element, in ConvShape shape, nint weight, out nint prepared);

    [LibraryImport(Library)]
    public static partial int cnnspec_prepared_has(nint prepared, in ConvShape shape);

    [LibraryImport(Library)]
    public static partial int cnnspec_prepared_run(
        nint prepared,
        in ConvShape shape,
        nint x,
        nint bias,
        nint addend,
        int relu,
        nint y
    );

    [LibraryImport(Library)]
    public static partial void cnnspec_prepared_free(nint prepared);

    [LibraryImport(Library)]
    public static partial int cnnspec_sgd(
        ParameterMemory* parameters,
        long count,
        float rate,
        float momentum,
        float undampened,
        float decay,
        int nesterov
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_adam(
        ParameterMemory* parameters,
        long count,
        float beta1,
        float beta2,
        float epsilon,
        float decay,
        float shrink
    );

    [LibraryImport(Library)]
    public static partial int cnnspec_magnitude(ParameterMemory* parameters, long count, out double sum);
}
