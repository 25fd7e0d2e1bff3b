using CnnSpec.Runtime.Networks;

namespace CnnSpec;

/// <summary>From a spec's network to TorchSharp's modules.</summary>
public static class NetworkBuilding
{
    /// <summary>
    /// The network as a <c>torch.nn.Module&lt;Tensor, Tensor&gt;</c>, <c>[N, …input] → [N, …output]</c>, float32, on the CPU, with
    /// the weights that training by this seed begins from. It goes into <c>nn.Sequential</c>, takes TorchSharp's optimizers,
    /// <c>save</c> and <c>load</c>, and <c>to(device)</c>; its weights have the spec's names.
    /// </summary>
    /// <exception cref="EnvironmentError">libtorch is missing or does not load.</exception>
    public static Network Build(this SpecNetwork network, long seed = 0) => Network.Initial(network.Program, seed);
}
