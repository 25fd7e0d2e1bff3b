using CnnSpec.Ir;
using CnnSpec.Runtime.Networks;
using CnnSpec.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Networks;

/// <summary>
/// Whole networks made at random: what the compiler says of every layer's shape is what libtorch gives. CNNSPEC_TEST_SEED
/// repeats a run.
/// </summary>
public class RandomNetworkTests
{
    private const int Networks = 60;

    [Test]
    public void Every_layer_has_the_shape_that_the_compiler_says()
    {
        var random = RandomNetworkWriter.Seeded();
        EngineSetup.Initialise();
        using var withoutGradient = no_grad();
        int fitting = 0;
        int layers = 0;

        for (int attempt = 0; fitting < Networks; attempt++)
        {
            Assert.That(attempt, Is.LessThan(Networks * 20), "too few random networks fit to learn anything from");
            string text = new RandomNetworkWriter(random).Network();
            var compilation = Specs.Compiled(text);
            if (compilation.HasErrors)
            {
                // It may well not fit; it must be the shapes that do not.
                Assert.That(
                    compilation.Diagnostics.Where(d => d.Severity.IsError).Select(d => d.Code),
                    Is.All.StartsWith("E03"),
                    () => text + Render.all(Render.plain, compilation.Diagnostics)
                );
                continue;
            }
            fitting++;
            layers += CompareShapes(compilation.Networks.Single().Program, text);
        }
        TestContext.Out.WriteLine($"{fitting} networks, {layers} layers");
    }

    private static int CompareShapes(Program program, string text)
    {
        using var scope = NewDisposeScope();
        var images = randn([2, .. program.Input]);
        for (int node = 0; node < program.Nodes.Length; node++)
        {
            // The network up to this layer: it returns what the layer gives.
            using var network = new Network(
                new Program(program.Network, program.Input, program.Nodes, node, program.AuxiliaryHeads, program.Blocks)
            );
            network.eval();
            using var output = network.forward(images);
            Assert.That(output.shape[1..], Is.EqualTo(program.Nodes[node].Shape.ToArray()), $"node {node} of\n{text}");
        }
        return program.Nodes.Length;
    }
}
