using CnnSpec.LibTorch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>Makes managed values of what an operator returned.</summary>
internal static unsafe class Results
{
    public static Tensor Tensor(in NativeValue value) =>
        (ArgumentTag)value.Tag == ArgumentTag.Tensor
            ? new Tensor((nint)value.Payload)
            : throw Unexpected("a tensor", value);

    public static Tensor[] TensorList(in NativeValue value)
    {
        if ((ArgumentTag)value.Tag != ArgumentTag.TensorList)
            throw Unexpected("a list of tensors", value);
        var handles = (nint*)value.Payload;
        var tensors = new Tensor[value.Length];
        for (var i = 0; i < tensors.Length; i++)
            tensors[i] = new Tensor(handles[i]);
        NativeMethods.FreeMemory(handles);
        return tensors;
    }

    public static Scalar Scalar(in NativeValue value) =>
        (ArgumentTag)value.Tag switch
        {
            ArgumentTag.Int => value.Payload,
            ArgumentTag.Double => BitConverter.Int64BitsToDouble(value.Payload),
            ArgumentTag.Bool => value.Payload != 0,
            _ => throw Unexpected("a number", value),
        };

    private static InvalidOperationException Unexpected(string expected, in NativeValue value) =>
        new($"The operator was called for {expected}, but returned a value of kind {(ArgumentTag)value.Tag}.");
}
