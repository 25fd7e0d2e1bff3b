using CnnSpec.LibTorch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch;

/// <summary>
/// An operator of libtorch. Its calls pass through autocast and autograd as any call does. Arguments that are left out
/// at the end take the defaults of the operator's schema.
/// </summary>
public sealed unsafe class Operator
{
    private readonly string _name;
    private readonly string _overload;
    private nint _handle;

    internal Operator(string name, string overload = "") => (_name, _overload) = (name, overload);

    /// <summary>Found at the first call, so that naming hundreds of operators costs a program nothing.</summary>
    internal nint Handle
    {
        get
        {
            if (_handle == 0)
            {
                NativeStatus.Check(NativeMethods.FindOperator(_name, _overload, out var found));
                _handle = found;
            }
            return _handle;
        }
    }

    /// <summary>The operator's schema, as in <c>aten::relu(Tensor self) -> Tensor</c>.</summary>
    public string Schema
    {
        get
        {
            NativeStatus.Check(NativeMethods.OperatorSchema(Handle, out var text));
            return NativeStatus.TakeText(text);
        }
    }

    /// <summary>Calls the operator for its one tensor.</summary>
    public Tensor Call(params ReadOnlySpan<Argument> args)
    {
        NativeValue result;
        Invocation.Invoke(Handle, args, &result, 1);
        return Results.Tensor(result);
    }

    /// <summary>Calls the operator for its first two tensors.</summary>
    public (Tensor, Tensor) Call2(params ReadOnlySpan<Argument> args)
    {
        var results = stackalloc NativeValue[2];
        Invocation.Invoke(Handle, args, results, 2);
        return (Results.Tensor(results[0]), Results.Tensor(results[1]));
    }

    /// <summary>Calls the operator for its first three tensors.</summary>
    public (Tensor, Tensor, Tensor) Call3(params ReadOnlySpan<Argument> args)
    {
        var results = stackalloc NativeValue[3];
        Invocation.Invoke(Handle, args, results, 3);
        return (Results.Tensor(results[0]), Results.Tensor(results[1]), Results.Tensor(results[2]));
    }

    /// <summary>Calls the operator for its list of tensors.</summary>
    public Tensor[] CallList(params ReadOnlySpan<Argument> args)
    {
        NativeValue result;
        Invocation.Invoke(Handle, args, &result, 1);
        return Results.TensorList(result);
    }

    /// <summary>Calls the operator for its one number or flag.</summary>
    public Scalar CallScalar(params ReadOnlySpan<Argument> args)
    {
        NativeValue result;
        Invocation.Invoke(Handle, args, &result, 1);
        return Results.Scalar(result);
    }

    /// <summary>Calls the operator for what it does to its arguments and leaves its results where they are.</summary>
    public void Run(params ReadOnlySpan<Argument> args) => Invocation.Invoke(Handle, args, null, 0);

    /// <summary>As <see cref="Run"/>, and gives back the first argument: the form of TorchSharp's in-place methods.</summary>
    internal Tensor Update(params ReadOnlySpan<Argument> args)
    {
        Invocation.Invoke(Handle, args, null, 0);
        return (Tensor)args[0].Reference!;
    }

    public override string ToString() => _overload.Length == 0 ? _name : $"{_name}.{_overload}";
}
