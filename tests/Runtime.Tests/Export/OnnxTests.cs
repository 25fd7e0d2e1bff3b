using CnnSpec.Data;
using CnnSpec.Elaborate;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Export;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Data;
using CnnSpec.Runtime.Tests.Networks;
using CnnSpec.Text;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Export;

/// <summary>ONNX Runtime gives for an exported network what the network gives.</summary>
public class OnnxTests
{
    private const double Tolerance = 1e-4;

    private static IEnumerable<string> Examples() => Catalog.operators.Select(entry => entry.Example);

    [TestCaseSource(nameof(Examples))]
    [TestCase("add { conv(16, kernel=3, padding=1); identity; conv(16, kernel=1) }")]
    [TestCase("mul(broadcast=true) { identity; { global_avg_pool; sigmoid } }")]
    [TestCase("concat { conv(3, kernel=1); identity; { max_pool(3, stride=1, padding=1) } }")]
    [TestCase("conv(5, kernel=[2, 4], stride=[2, 1], padding=\"same\", dilation=[1, 2])")]
    [TestCase("conv(6, kernel=3, padding=[0, 1, 2, 3], groups=2, bias=false)")]
    [TestCase("max_pool(3, stride=2, padding=1, ceil=true); max_pool(2, stride=2, ceil=true)")]
    [TestCase("max_pool([3, 2], stride=[2, 3], dilation=[2, 1], ceil=true)")]
    [TestCase("max_pool(2, stride=4, dilation=3, ceil=true)")]
    [TestCase("avg_pool(3, stride=2, padding=1, ceil=true)")]
    [TestCase("avg_pool([3, 2], stride=[4, 3], padding=[1, 0], ceil=true)")]
    [TestCase("avg_pool([3, 2], stride=[4, 3], padding=[1, 0], ceil=true, count_padding=false)")]
    [TestCase("pad([1, 1, 2, 0]); avg_pool(2)")]
    [TestCase("relu; affine(scale=-1, shift=0); pad([0, 1, 1, 0]); max_pool(4, padding=1)")]
    [TestCase("adaptive_avg_pool([3, 5])")]
    [TestCase("adaptive_max_pool([3, 5])")]
    [TestCase("adaptive_avg_pool([7, 1])")]
    [TestCase("split(4) as a, b, c, d; concat { d; a }")]
    [TestCase("gelu(approximate=\"tanh\")")]
    [TestCase("layer_norm")]
    [TestCase("upsample(18); group_norm(1)")]
    [TestCase("local_response_norm(4, k=2)")]
    [TestCase("local_response_norm(5, alpha=0.1)")]
    [TestCase("affine(scale=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16], shift=1)")]
    [TestCase("upsample(3)")]
    [TestCase("upsample(2, mode=\"bilinear\")")]
    [TestCase("pad(2, mode=\"reflect\")")]
    [TestCase("pad([1, 2, 3, 0], mode=\"replicate\")")]
    [TestCase("flatten; batch_norm; linear(7); softmax")]
    [TestCase("flatten; linear(7); log_softmax")]
    [TestCase("batch_norm(affine=false); relu; flatten; prelu")]
    [TestCase("identity")]
    [TestCase("dropout(0.5)")]
    [TestCase("conv(8, kernel=3); batch_norm; aux(weight=0.3) { flatten; linear(4) }; flatten; logits: linear(4)")]
    public void An_operation_gives_the_same(string body) => Compare(Specs.Network(body), new OnnxOptions());

    private static IEnumerable<string> Files() =>
        Directory
            .GetFiles(Path.Combine(Specs.Root, "specs"), "*.cnn", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Specs.Root, file))
            .Where(file => !file.Contains("mistakes"))
            .Order(StringComparer.Ordinal);

    [Category("Slow")]
    [TestCaseSource(nameof(Files))]
    public void A_spec_of_the_repository_gives_the_same(string file)
    {
        double worst = Compare(Program(file), new OnnxOptions(), batch: 1);
        TestContext.Out.WriteLine($"{file}: {worst:0.0e+0}");
    }

    [TestCase("specs/resnet.cnn")]
    [TestCase("specs/googlenet.cnn")]
    [TestCase("specs/densenet.cnn")]
    public void Folded_batch_norm_gives_the_same_with_fewer_nodes(string file)
    {
        var program = Program(file);
        Compare(program, new OnnxOptions(Folds: true));
        using var network = Made(program);
        using var folder = new TestFolder();
        int Norms(bool folds)
        {
            string path = Path.Combine(folder.Path, $"{folds}.onnx");
            OnnxFile.Write(path, network, new OnnxOptions(folds));
            return Onnx
                .ModelProto.Parser.ParseFrom(File.ReadAllBytes(path))
                .Graph.Node.Count(node => node.OpType == "BatchNormalization");
        }
        Assert.That(Norms(true), Is.LessThan(Norms(false)));
    }

    [Category("Slow")]
    [Test]
    public void Random_networks_give_the_same()
    {
        var random = RandomNetworkWriter.Seeded();
        for (int fitting = 0; fitting < 200; )
        {
            string text = new RandomNetworkWriter(random).Network();
            var compilation = Specs.Compiled(text);
            if (compilation.HasErrors)
                continue;
            fitting++;
            foreach (bool folds in new[] { false, true })
                Assert.That(
                    () => Compare(compilation.Networks.Single().Program, new OnnxOptions(folds), because: text),
                    Throws.Nothing,
                    text
                );
        }
    }

    [Test]
    public void It_takes_images_of_bytes_and_gives_probabilities_where_asked()
    {
        var scaling = new ChannelStatistics([0.4f, 0.5f, 0.6f], [0.2f, 0.25f, 0.3f]);
        using var network = Made(Specs.Network("conv(4, kernel=3); relu; flatten; linear(5)", "3 x 8 x 9"));
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "net.onnx");
        string[] classes = ["ape", "bär", "cat", "dog", "eel"];
        OnnxFile.Write(
            path,
            network,
            new OnnxOptions(Preprocesses: true, Softmax: true, Scaling: scaling, ClassNames: classes)
        );
        using var session = new InferenceSession(path);
        Assert.That(
            System.Text.Json.JsonSerializer.Deserialize<string[]>(
                session.ModelMetadata.CustomMetadataMap["class_names"]
            ),
            Is.EqualTo(classes)
        );
        var bytes = new byte[2 * 3 * 8 * 9];
        new Random(1).NextBytes(bytes);
        using var answers = session.Run([
            NamedOnnxValue.CreateFromTensor("images", new DenseTensor<byte>(bytes, [2, 3, 8, 9])),
        ]);
        Assert.That(answers.Single().Name, Is.EqualTo("probabilities"));

        var pixels = tensor(bytes.Select(value => value / 255f).ToArray(), [2, 3, 8, 9]);
        var scaled = (pixels - tensor(scaling.Mean).view(1, 3, 1, 1)) / tensor(scaling.Deviation).view(1, 3, 1, 1);
        float[] expected = network.forward(scaled).softmax(1).data<float>().ToArray();
        Assert.That(answers.Single().AsTensor<float>().ToArray(), Is.EqualTo(expected).Within(1e-5));
    }

    [Test]
    public void Weights_too_large_for_one_message_lie_beside_it()
    {
        using var network = Made(Specs.Network("conv(32, kernel=5); flatten; linear(5)"));
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "net.onnx");
        var weights = network.NamedWeights().ToDictionary(weight => weight.Name, weight => weight.Tensor);
        var model = OnnxModel.Of(network.Program, name => StoredTensors.Of(weights[name]), new OnnxOptions());
        Assert.That(OnnxFile.Write(path, model, largest: 100), Is.EqualTo(new[] { path, path + ".data" }));
        Assert.That(new FileInfo(path).Length, Is.LessThan(4000));
        CompareFile(path, network, batch: 3, "");
    }

    [Test]
    public void Weights_keep_their_names()
    {
        using var network = Made(Program("specs/imagenet/resnet18.cnn"));
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "net.onnx");
        OnnxFile.Write(path, network, new OnnxOptions());
        var names = Onnx.ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Initializer.Select(one => one.Name);
        Assert.That(
            network.NamedWeights().Select(weight => weight.Name).Where(name => !name.EndsWith("num_batches_tracked")),
            Is.SubsetOf(names)
        );
    }

    private static Program Program(string file)
    {
        string Whole(string path) => Path.Combine(Specs.Root, path);
        var options = CompileOptions.From([], null, path => File.ReadAllBytes(Whole(path)));
        return Compile.file(options, SourceModule.create(file, File.ReadAllText(Whole(file)))).Networks.First().Program;
    }

    /// <summary>With running statistics that a fresh network has not.</summary>
    private static Network Made(Program program)
    {
        EngineSetup.Initialise();
        random.manual_seed(7);
        var network = new Network(program);
        using var withoutGradient = no_grad();
        foreach (var (name, weight) in network.NamedWeights())
            if (weight.dim() > 1)
                // Values stay of one size from layer to layer, however the network would begin.
                weight.normal_(0, Math.Sqrt(1.5 * weight.size(0) / weight.numel()));
            else if (name.EndsWith("running_mean"))
                weight.normal_(0, 0.3);
            else if (name.EndsWith("running_var"))
                weight.uniform_(0.5, 2);
        network.eval();
        return network;
    }

    private static double Compare(Program program, OnnxOptions options, int batch = 2, string because = "")
    {
        using var network = Made(program);
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "net.onnx");
        OnnxFile.Write(path, network, options);
        return CompareFile(path, network, batch, because);
    }

    /// <returns>The largest difference, of the largest value.</returns>
    private static double CompareFile(string path, Network network, int batch, string because)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        using var session = new InferenceSession(path);
        long[] shape = [batch, .. network.Program.Input];
        var images = randn(shape);
        var values = new DenseTensor<float>(images.data<float>().ToArray(), [.. shape.Select(size => (int)size)]);
        using var answers = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames.Single(), values)]);
        var answer = answers.Single().AsTensor<float>();
        var expected = network.forward(images);
        Assert.That(answer.Dimensions.ToArray().Select(size => (long)size), Is.EqualTo(expected.shape), because);
        float[] right = expected.contiguous().data<float>().ToArray();
        float[] given = [.. answer];
        Assert.That(right, Is.All.Matches<float>(float.IsFinite), because);
        double largest = Math.Max(1, right.Max(Math.Abs));
        double worst = right.Zip(given, (a, b) => Math.Abs(a - b) / largest).Max();
        Assert.That(worst < Tolerance, $"{worst} {because}");
        return worst;
    }
}
