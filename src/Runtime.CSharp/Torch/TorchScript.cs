using CnnSpec.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime;

/// <summary>Operators of libtorch that TorchSharp has no method for, reached through its TorchScript compiler.</summary>
internal static class TorchScript
{
    private const string Source = """
        def gradient_of_input(dy: Tensor, x: Tensor, w: Tensor, sh: int, sw: int, ph: int, pw: int, dh: int, dw: int) -> Tensor:
            return torch.convolution_backward(dy, x, w, None, [sh, sw], [ph, pw], [dh, dw], False, [0, 0], 1, [True, False, False])[0]

        def gradient_of_weight(dy: Tensor, x: Tensor, w: Tensor, sh: int, sw: int, ph: int, pw: int, dh: int, dw: int) -> Tensor:
            return torch.convolution_backward(dy, x, w, None, [sh, sw], [ph, pw], [dh, dw], False, [0, 0], 1, [False, True, False])[1]

        def gradients_of_both(dy: Tensor, x: Tensor, w: Tensor, sh: int, sw: int, ph: int, pw: int, dh: int, dw: int) -> Tuple[Tensor, Tensor]:
            both = torch.convolution_backward(dy, x, w, None, [sh, sw], [ph, pw], [dh, dw], False, [0, 0], 1, [True, True, False])
            return both[0], both[1]

        def convolve(x: Tensor, w: Tensor, b: Optional[Tensor], sh: int, sw: int, ph: int, pw: int, dh: int, dw: int) -> Tensor:
            return torch.mkldnn_convolution(x, w, b, [ph, pw], [sh, sw], [dh, dw], 1)

        def versions(tensors: List[Tensor]) -> int:
            sum = 0
            for tensor in tensors:
                sum += torch._version(tensor)
            return sum
        """;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Source + "\n"));

    /// <summary>The gradients of a convolution of one group that are wanted.</summary>
    public static (Tensor? Input, Tensor? Weight) ConvolutionGradients(
        Tensor dy,
        Tensor x,
        Tensor weight,
        in ConvShape s,
        bool ofInput,
        bool ofWeight
    )
    {
        if (LosesFilterGradients(x.dtype, s.Width, s.StrideWidth))
        {
            var (dx, exact) = ConvolutionGradients(
                dy.to(ScalarType.Float32),
                x.to(ScalarType.Float32),
                weight.to(ScalarType.Float32),
                s,
                ofInput,
                ofWeight
            );
            return (dx?.to(x.dtype), exact);
        }
        if (!ofInput)
            return (null, ofWeight ? (Tensor)Call("gradient_of_weight", s, dy, x, weight) : null);
        if (!ofWeight)
            return ((Tensor)Call("gradient_of_input", s, dy, x, weight), null);
        var both = ((Tensor, Tensor))Call("gradients_of_both", s, dy, x, weight);
        return (both.Item1, both.Item2);
    }

    /// <summary>Where oneDNN 3.7 reads beyond the rows of a map for the gradient of filters: in bfloat16, of maps that are
    /// narrower than a stride.</summary>
    public static bool LosesFilterGradients(ScalarType type, long width, long stride) =>
        type == ScalarType.BFloat16 && width < stride;

    /// <summary>A convolution by oneDNN, whatever libtorch would choose: of one small image it takes a slower way.</summary>
    public static Tensor Convolve(Tensor x, Tensor weight, Tensor? bias, in ConvShape s) =>
        (Tensor)Call("convolve", s, x, weight, bias!);

    /// <summary>A number that grows with every change in place of one of the tensors: equal numbers, equal values. What native
    /// loops write is not counted.</summary>
    public static long Versions(Tensor[] tensors) => ((Scalar)Unit.Value.invoke("versions", [tensors])).ToInt64();

    /// <remarks>Sizes go as <c>int</c>: of a <c>long</c> or a <c>double</c> TorchSharp 0.107 makes a scalar that the garbage
    /// collector may free before libtorch reads it.</remarks>
    private static object Call(string name, in ConvShape s, Tensor first, Tensor second, Tensor third) =>
        Unit.Value.invoke(
            name,
            first,
            second,
            third,
            (int)s.StrideHeight,
            (int)s.StrideWidth,
            (int)s.PadTop,
            (int)s.PadLeft,
            (int)s.DilationHeight,
            (int)s.DilationWidth
        );
}
