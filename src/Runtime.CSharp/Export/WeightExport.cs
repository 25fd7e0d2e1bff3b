using System.IO.Compression;
using CnnSpec.Data;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Networks;

namespace CnnSpec.Runtime.Export;

/// <summary>A network's weights alone, by PyTorch's names, as other programs read them.</summary>
public static class WeightExport
{
    /// <summary>As <c>np.load</c> reads it: an archive of arrays.</summary>
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written.</exception>
    public static void WriteNumPy(string path, Network network) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
                foreach (var (name, tensor) in Stored(network))
                {
                    using var entry = archive.CreateEntry($"{name}.npy", CompressionLevel.NoCompression).Open();
                    NpyFile.Write(entry, tensor);
                }
            }
        );

    /// <summary>As <c>torch.load(path, weights_only=True)</c> reads it: a state dict.</summary>
    /// <inheritdoc cref="WriteNumPy"/>
    public static void WritePyTorch(string path, Network network) =>
        AtomicFile.Write(path, stream => PyTorchArchive.Write(stream, Stored(network)));

    /// <inheritdoc cref="WriteNumPy"/>
    public static void WriteSafetensors(string path, Network network) => WeightFile.Write(path, network, []);

    private static IEnumerable<(string Name, StoredTensor Tensor)> Stored(Network network) =>
        network.NamedWeights().Select(weight => (weight.Name, StoredTensors.Of(weight.Tensor)));
}
