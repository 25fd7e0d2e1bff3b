using System.Diagnostics;
using System.Text.Json;
using CnnSpec.Ir;
using CnnSpec.Runtime;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Checkpoints.Import;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Parity;

/// <summary>Every spec against the network it describes, written by hand in PyTorch: same weights in, same numbers out.</summary>
public class ParityTests
{
    private const double Tolerance = 1e-4;

    /// <summary>Inception v3's auxiliary head normalises over as many values as the batch has images, four: what the layers before
    /// rounded differently is divided by a spread that may be small. PyTorch's own two ways, with oneDNN and without, differ by 1e-4 there.</summary>
    private const double AuxiliaryTolerance = 5e-4;

    /// <summary>Spec and the parameter count that independent PyTorch models have.</summary>
    private static readonly object[] Networks =
    [
        new object[] { "densenet", 239_146 },
        new object[] { "resnet", 272_378 },
        new object[] { "preact-resnet", 272_250 },
        new object[] { "googlenet", 260_650 },
        new object[] { "mnist/lenet5", 61_706 },
        new object[] { "mnist/convnet", 9_098 },
        new object[] { "cifar10/lenet5", 62_006 },
        new object[] { "cifar10/resnet18-small", 347_498 },
        new object[] { "cifar10/resnet18", 9_553_674 },
        new object[] { "fashion-mnist/lenet", 61_706 },
        new object[] { "fashion-mnist/alexnet", 46_764_746 },
        new object[] { "fashion-mnist/nin", 1_992_166 },
        new object[] { "fashion-mnist/googlenet", 5_977_530 },
        new object[] { "fashion-mnist/resnet18", 11_178_378 },
        new object[] { "fashion-mnist/densenet", 758_226 },
        new object[] { "imagenet/alexnet", 61_100_840 },
        new object[] { "imagenet/vgg11", 132_863_336 },
        new object[] { "imagenet/vgg13", 133_047_848 },
        new object[] { "imagenet/vgg16", 138_357_544 },
        new object[] { "imagenet/vgg19", 143_667_240 },
        new object[] { "imagenet/inception-v3", 27_161_264 },
        new object[] { "imagenet/resnet18", 11_689_512 },
        new object[] { "imagenet/resnet50", 25_557_032 },
        new object[] { "imagenet/googlenet", 13_004_888 },
        new object[] { "imagenet/efficientnet-b0", 5_288_548 },
        new object[] { "imagenet/mobilenet-v2", 3_504_872 },
        new object[] { "imagenet/squeezenet", 1_235_496 },
        new object[] { "imagenet/densenet121", 7_978_856 },
        new object[] { "imagenet/shufflenet-v2", 2_278_604 },
    ];

    [TestCaseSource(nameof(Networks))]
    public void Spec_equals_the_pytorch_model(string spec, int parameters)
    {
        string folder = Directory.CreateTempSubdirectory("cnnspec-parity").FullName;
        try
        {
            long counted = WriteReference(spec, folder);
            var program = Specs.Program(File.ReadAllText(Path.Combine(Specs.Root, "specs", spec + ".cnn")));
            Assert.That(ProgramModule.parameters(program), Is.EqualTo(parameters).And.EqualTo(counted));
            CompareShapes(program, folder);
            Compare(WithoutDropout(program), folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Compare(Program program, string folder)
    {
        EngineSetup.Initialise();
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        using var network = new Network(program);
        // Strict: every name of PyTorch's state dict must be ours.
        string file = Path.Combine(folder, "weights.safetensors");
        var before = WeightSource.Read(file);
        WeightFile.Fill(file, before, network);
        var (shape, values) = NpyFile.Read(Path.Combine(folder, "x.npy"));
        var input = tensor(values.AsMemory(), shape);

        network.eval();
        AssertEqual(network.forward(input), Path.Combine(folder, "eval.npy"), "evaluation");
        network.train();
        var outputs = network.ForwardWithHeads(input);
        AssertEqual(outputs[0], Path.Combine(folder, "train.npy"), "training");
        for (int head = 1; head < outputs.Length; head++)
            AssertEqual(
                outputs[head],
                Path.Combine(folder, $"head{head - 1}.npy"),
                $"auxiliary head {head}",
                AuxiliaryTolerance
            );

        var after = WeightSource.Read(Path.Combine(folder, "after.safetensors"));
        var statistics = network.NamedWeights().Where(weight => !weight.Tensor.requires_grad);
        Assert.That(statistics.Select(weight => weight.Name), Is.EquivalentTo(after.Keys), "batch statistics");
        foreach (var (name, ours) in network.NamedWeights())
        {
            using var one = NewDisposeScope();
            var theirs = (after.GetValueOrDefault(name) ?? before[name]).ToTensor();
            Assert.That(
                ours.to(float32).sub(theirs.to(float32)).abs().max().item<float>(),
                Is.LessThan(Tolerance),
                $"{name} after a pass in training mode"
            );
        }
    }

    /// <summary>What each layer with weights takes and gives: between two of them nothing else can be of another size.</summary>
    private static void CompareShapes(Program program, string folder)
    {
        var nodes = program.Nodes.ToArray();
        var ours = nodes
            .Where(node => node.Weights.Any(weight => weight.Trainable))
            .ToDictionary(node => node.Path, node => (Sizes(nodes[node.Inputs[0]].Shape), Sizes(node.Shape)));
        using var theirs = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "shapes.json")));
        Assert.That(
            ours.Keys,
            Is.EquivalentTo(theirs.RootElement.EnumerateObject().Select(layer => layer.Name)),
            "layers with weights"
        );
        foreach (var layer in theirs.RootElement.EnumerateObject())
        {
            string[] shapes =
            [
                .. layer.Value.EnumerateArray().Select(s => Sizes(s.EnumerateArray().Select(n => n.GetInt64()))),
            ];
            Assert.That(ours[layer.Name], Is.EqualTo((shapes[0], shapes[1])), $"shapes of {layer.Name}");
        }
    }

    private static string Sizes(IEnumerable<long> shape) => string.Join('x', shape);

    private static void AssertEqual(Tensor ours, string path, string mode, double tolerance = Tolerance)
    {
        var (shape, values) = NpyFile.Read(path);
        Assert.That(ours.shape, Is.EqualTo(shape), mode);
        var theirs = tensor(values.AsMemory(), shape);
        double scale = Math.Max(1, theirs.abs().max().item<float>());
        Assert.That(ours.sub(theirs).abs().max().item<float>() / scale, Is.LessThan(tolerance), mode);
    }

    /// <summary>Chance differs between two runs of anything; PyTorch's side sets its dropouts to zero, too.</summary>
    private static Program WithoutDropout(Program program) =>
        IrJson.ofJson<Program>(
            System.Text.Json.Nodes.JsonNode.Parse(
                System.Text.RegularExpressions.Regex.Replace(
                    IrJson.toJson(program).ToJsonString(),
                    "\"case\":\"(Dropout|DropPath)\",\"probability\":[0-9.]+",
                    "\"case\":\"$1\",\"probability\":0"
                )
            )!
        );

    private static long WriteReference(string spec, string folder) =>
        long.Parse(PyTorch.Run("reference.py", spec, folder).Trim().Split('\n')[^1]);
}
