using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Makes a trainable tensor of <paramref name="data"/>, which is empty from then on.</summary>
            public static Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>A tensor that a module trains. It takes over the handle of the tensor it is made of.</summary>
    public class Parameter : torch.Tensor
    {
        public Parameter(torch.Tensor data, bool requires_grad = true)
            : base(Take(data, out var owner))
        {
            MoveToOtherDisposeScope(owner);
            this.requires_grad = requires_grad;
        }

        private static nint Take(torch.Tensor data, out DisposeScope? owner)
        {
            owner = data.OwningDisposeScope;
            return data.DecoupleFromNativeHandle();
        }
    }
}
