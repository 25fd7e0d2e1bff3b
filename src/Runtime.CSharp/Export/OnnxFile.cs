using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Networks;
using Google.Protobuf;
using Onnx;

namespace CnnSpec.Runtime.Export;

/// <summary>A network as an ONNX file, opset 17.</summary>
public static class OnnxFile
{
    /// <summary>A protobuf message has at most 2 GiB; where weights have more, they go into a file beside it.</summary>
    private const long LargestMessage = 2_000_000_000;

    /// <summary>Runtimes map a file's pages.</summary>
    private const int Alignment = 4096;

    /// <summary>Writes the network as it is in evaluation.</summary>
    /// <returns>The files that were written, the model first.</returns>
    /// <exception cref="InputError">The options do not go with the network.</exception>
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written.</exception>
    public static IReadOnlyList<string> Write(string path, Network network, OnnxOptions options)
    {
        var weights = network.NamedWeights().ToDictionary(weight => weight.Name, weight => weight.Tensor);
        return Write(
            path,
            OnnxModel.Of(network.Program, name => StoredTensors.Of(weights[name]), options),
            LargestMessage
        );
    }

    /// <param name="largest">Bytes of weights above which they get a file of their own.</param>
    internal static IReadOnlyList<string> Write(string path, ModelProto model, long largest)
    {
        if (model.Graph.Initializer.Sum(tensor => (long)tensor.RawData.Length) <= largest)
        {
            AtomicFile.Write(path, stream => model.WriteTo(stream));
            return [path];
        }
        string beside = path + ".data";
        AtomicFile.Write(beside, stream => MoveWeights(model, Path.GetFileName(beside), stream));
        AtomicFile.Write(path, stream => model.WriteTo(stream));
        return [path, beside];
    }

    private static void MoveWeights(ModelProto model, string name, Stream stream)
    {
        long offset = 0;
        foreach (var tensor in model.Graph.Initializer.Where(tensor => tensor.RawData.Length >= Alignment))
        {
            long gap = (Alignment - offset % Alignment) % Alignment;
            stream.Write(new byte[gap]);
            offset += gap;
            stream.Write(tensor.RawData.Span);
            tensor.DataLocation = TensorProto.Types.DataLocation.External;
            foreach (
                var (key, value) in new[]
                {
                    ("location", name),
                    ("offset", $"{offset}"),
                    ("length", $"{tensor.RawData.Length}"),
                }
            )
                tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
            offset += tensor.RawData.Length;
            tensor.RawData = ByteString.Empty;
        }
    }
}
