using CnnSpec.LibTorch.Native;

namespace CnnSpec.LibTorch;

/// <summary>
/// The door to every operator that libtorch has, those that TorchSharp does not wrap included:
/// <c>Dispatcher.Find("aten::_foreach_add_", "List").Run(parameters, updates)</c>.
/// </summary>
public static class Dispatcher
{
    /// <summary>Looks an operator up. Keep the result: the look-up costs more than a call.</summary>
    /// <param name="name">Its name with its namespace, as in <c>aten::add</c>.</param>
    /// <param name="overload">Its overload, as in <c>Tensor</c> of <c>aten::add.Tensor</c>; empty for the unnamed one.</param>
    /// <exception cref="LibTorchException">This libtorch has no such operator.</exception>
    public static Operator Find(string name, string overload = "")
    {
        var op = new Operator(name, overload);
        _ = op.Handle;
        return op;
    }

    /// <summary>Whether this libtorch has the operator.</summary>
    public static bool Has(string name, string overload = "")
    {
        if (NativeMethods.FindOperator(name, overload, out _) == 0)
            return true;
        unsafe
        {
            NativeMethods.FreeMemory(NativeMethods.TakeError());
        }
        return false;
    }
}
