using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Export;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Networks;

namespace CnnSpec.Parity;

/// <summary>Exported files are what PyTorch, NumPy and ONNX's own checker take them for.</summary>
public class ExportTests
{
    [Test]
    public void Other_programs_read_what_was_exported()
    {
        EngineSetup.Initialise();
        string folder = Directory.CreateTempSubdirectory("cnnspec-exports").FullName;
        try
        {
            var program = Specs.Network(
                """
                stem: conv(8, kernel=3, padding=1); bn: batch_norm; relu
                concat { identity; "größe": conv(4, kernel=1) }
                max_pool(3, stride=2, ceil=true); avg_pool(2, ceil=true)
                gelu; layer_norm(over="channels"); group_norm(4); upsample(2)
                adaptive_avg_pool([3, 2]); flatten; fc: linear(5); softmax
                """
            );
            using var network = Network.Initial(program, seed: 3);
            string File(string name) => Path.Combine(folder, name);
            WeightExport.WritePyTorch(File("net.pth"), network);
            WeightExport.WriteNumPy(File("net.npz"), network);
            OnnxFile.Write(File("net.onnx"), network, new OnnxOptions());
            OnnxFile.Write(File("folded.onnx"), network, new OnnxOptions(Folds: true, Preprocesses: true));

            string[] names = PyTorch.Run("exports.py", folder).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(names, Is.EqualTo(network.NamedWeights().Select(weight => weight.Name)));

            foreach (string file in new[] { "net.pth", "net.npz" })
            {
                using var other = Network.Initial(program, seed: 4);
                WeightFile.Load(File(file), other);
                foreach (var (mine, its) in network.NamedWeights().Zip(other.NamedWeights()))
                    Assert.That(its.Tensor.equal(mine.Tensor).all().item<bool>(), $"{mine.Name} of {file}");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
