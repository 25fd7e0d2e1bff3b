using CnnSpec.Elaborate;
using CnnSpec.Ir;
using CnnSpec.Operators;
using CnnSpec.Runtime.Networks;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.NUnit;
using Microsoft.FSharp.Reflection;
using TorchSharp;
using static TorchSharp.torch;
using PropertyAttribute = FsCheck.NUnit.PropertyAttribute;

namespace CnnSpec.Runtime.Tests.Networks;

/// <summary>What the compiler says of an operation is what libtorch does.</summary>
public class OperationTests
{
    private static IEnumerable<TestCaseData> Operators() =>
        Catalog.operators.Select(entry =>
            new TestCaseData(entry.Example).SetName(
                $"{entry.Signature.Name} runs, with the shape and gradients that the compiler promised"
            )
        );

    [TestCaseSource(nameof(Operators))]
    public void Example_of_the_operator_table(string example) => RunsAsPromised(Specs.Network(example));

    [TestCase("add { conv(16, kernel=3, padding=1); identity }")]
    [TestCase("mul { conv(16, kernel=3, padding=1); identity }")]
    [TestCase("mul(broadcast=true) { identity; { global_avg_pool; sigmoid } }")]
    [TestCase("concat { conv(3, kernel=1); identity; { max_pool(3, stride=1, padding=1) } }")]
    [TestCase("conv(5, kernel=[2, 4], stride=[2, 1], padding=\"same\", dilation=[1, 2])")]
    [TestCase("conv(5, kernel=3, padding=[0, 1, 2, 3])")]
    [TestCase("split(4) as a, b, c, d; concat { d; a }")]
    [TestCase("gelu(approximate=\"tanh\")")]
    [TestCase("layer_norm")]
    [TestCase("affine(scale=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16], shift=1)")]
    [TestCase("upsample(3)")]
    [TestCase("pad(2, mode=\"reflect\")")]
    [TestCase("flatten; batch_norm; softmax")]
    public void Forms_that_no_single_operator_shows(string body) => RunsAsPromised(Specs.Network(body));

    /// <summary>Batch of two through the network, in training and in evaluation.</summary>
    private static void RunsAsPromised(Program program)
    {
        EngineSetup.Initialise();
        random.manual_seed(1);
        using var scope = NewDisposeScope();
        using var network = new Network(program);
        long[] input = [2, .. program.Input];
        long[] promised = [2, .. ProgramModule.outputShape(program)];

        var images = randn(input, requires_grad: true);
        var output = network.forward(images);
        Assert.That(output.shape, Is.EqualTo(promised));
        output.mul(randn(promised)).sum().backward();
        Assert.That(images.grad, Is.Not.Null, "no gradient reaches the input");
        foreach (var (name, parameter) in network.named_parameters())
            Assert.That(parameter.grad, Is.Not.Null, $"no gradient reaches {name}");
        Assert.That(network.parameters().Sum(p => p.numel()), Is.EqualTo(ProgramModule.parameters(program)));

        network.eval();
        using (no_grad())
        {
            var first = network.forward(images);
            var second = network.forward(images);
            Assert.That(first.shape, Is.EqualTo(promised));
            Assert.That(first.allclose(second), Is.True, "evaluation is left to chance");
        }
    }

    [Test]
    public void Every_operation_of_the_ir_is_reached_by_some_example()
    {
        var reached = Catalog
            .operators.Select(entry => entry.Example)
            .Append("concat { identity; identity }")
            .Append("add { identity; identity }")
            .Append("mul { identity; identity }")
            .SelectMany(body => Specs.Network(body).Nodes)
            .Select(node => node.Op.Tag)
            .ToHashSet();
        var missing = FSharpType
            .GetUnionCases(typeof(Op), null)
            .Where(c => !reached.Contains(c.Tag))
            .Select(c => c.Name);
        Assert.That(missing, Is.Empty, "operations that no example of the catalogue makes");
    }

    [Property(MaxTest = 150)]
    public Property Windows_are_counted_as_libtorch_counts_them()
    {
        var window =
            from height in Gen.Choose(1, 24)
            from width in Gen.Choose(1, 24)
            from kh in Gen.Choose(1, 5)
            from kw in Gen.Choose(1, 5)
            from sh in Gen.Choose(1, 4)
            from sw in Gen.Choose(1, 4)
            from ph in Gen.Choose(0, 2)
            from pw in Gen.Choose(0, 2)
            from dilation in Gen.Choose(1, 3)
            from ceil in Gen.Elements("true", "false")
            from kind in Gen.Elements("conv", "max_pool", "avg_pool")
            select (height, width, kh, kw, sh, sw, ph, pw, dilation, ceil, kind);

        return Prop.ForAll(
            window.ToArbitrary(),
            w =>
            {
                string size = $"[{w.kh}, {w.kw}], stride=[{w.sh}, {w.sw}], padding=[{w.ph}, {w.pw}]";
                string layer = w.kind switch
                {
                    "conv" => $"conv(3, {size}, dilation={w.dilation})",
                    "max_pool" => $"max_pool({size}, dilation={w.dilation}, ceil={w.ceil})",
                    _ => $"avg_pool({size}, ceil={w.ceil})",
                };
                string text = $"network N {{ input 2 x {w.height} x {w.width}; {layer} }}";
                var compilation = Specs.Compiled(text);
                using var scope = NewDisposeScope();
                using var images = randn(1, 2, w.height, w.width);
                long[]? actual;
                try
                {
                    actual = Reference(w.kind, images, w).shape;
                }
                catch (System.Runtime.InteropServices.ExternalException)
                {
                    actual = null;
                }
                long[]? promised = compilation.HasErrors
                    ? null
                    : [1, .. ProgramModule.outputShape(compilation.Networks.Single().Program)];
                return (
                    promised is null == actual is null && (actual is null || promised!.SequenceEqual(actual))
                ).Label(
                    $"{text}: promised [{string.Join(", ", promised ?? [])}], libtorch [{string.Join(", ", actual ?? [])}]"
                );
            }
        );

        static Tensor Reference(
            string kind,
            Tensor images,
            (int h, int w, int kh, int kw, int sh, int sw, int ph, int pw, int dilation, string ceil, string kind) w
        ) =>
            kind switch
            {
                "conv" => nn.functional.conv2d(
                    images,
                    randn(3, 2, w.kh, w.kw),
                    null,
                    [w.sh, w.sw],
                    [w.ph, w.pw],
                    [w.dilation, w.dilation]
                ),
                "max_pool" => nn.functional.max_pool2d(
                    images,
                    [w.kh, w.kw],
                    [w.sh, w.sw],
                    [w.ph, w.pw],
                    [w.dilation, w.dilation],
                    w.ceil == "true"
                ),
                _ => nn.functional.avg_pool2d(images, [w.kh, w.kw], [w.sh, w.sw], [w.ph, w.pw], w.ceil == "true"),
            };
    }
}
