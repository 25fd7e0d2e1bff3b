using System.Runtime.CompilerServices;
using CnnSpec.Runtime.Networks;

namespace CnnSpec.Runtime.Tests;

/// <summary>Tests may use TorchSharp before anything of the runtime, which knows where libtorch is.</summary>
internal static class LoadTorch
{
    [ModuleInitializer]
    internal static void Load()
    {
        ProcessTuning.Apply();
        EngineSetup.Initialise();
    }
}
