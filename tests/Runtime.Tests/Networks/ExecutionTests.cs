using CnnSpec.Ir;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Networks;

/// <summary>However a network is run, it must be the network of the spec.</summary>
/// <param name="kernels">What computes: the native loops, or TorchSharp's operations alone.</param>
[TestFixture("native")]
[TestFixture("none")]
[Category("Slow")]
public class ExecutionTests(string kernels)
{
    private const string Residual =
        "conv(8, kernel=3, padding=1); batch_norm; relu; conv(8, kernel=1); relu; max_pool(2, stride=1); "
        + "add { { conv(8, kernel=3, padding=1, bias=false); batch_norm; relu; conv(8, kernel=1); batch_norm }; identity }; relu; "
        + "max_pool(3, stride=2, padding=1); global_avg_pool; flatten; linear(5)";

    private const string Dense =
        "conv(6, kernel=1); repeat 2 { concat { { batch_norm; relu; conv(5, kernel=3, padding=1, bias=false) }; identity } }; "
        + "batch_norm; relu; avg_pool(2); global_avg_pool; flatten; linear(5)";

    private const string Inception =
        "concat { { conv(4, kernel=1); batch_norm; relu }; "
        + "{ conv(6, kernel=1); batch_norm; relu; conv(7, kernel=3, padding=1); batch_norm; relu }; "
        + "{ conv(3, kernel=1); batch_norm; relu; conv(5, kernel=5, padding=2); batch_norm; relu }; "
        + "{ max_pool(3, stride=1, padding=1); conv(4, kernel=1); batch_norm; relu } }; global_avg_pool; flatten; linear(5)";

    private const string Auxiliary =
        "conv(4, kernel=3); batch_norm; aux(weight=0.4) { relu; global_avg_pool; flatten; linear(5) }; relu; flatten; linear(5)";

    /// <summary>Convolutions without bias or normalisation, groups, stride and dilation, factors without affine.</summary>
    private const string Bare =
        "conv(8, kernel=3, stride=2, padding=1, bias=false); relu; conv(8, kernel=3, groups=2, padding=2, dilation=2); "
        + "batch_norm(affine=false); conv(6, kernel=1, bias=false); batch_norm(affine=false); relu; global_avg_pool; "
        + "flatten; linear(5)";

    /// <summary>Channels that fill vectors, so that convolutions are ours and not libtorch's.</summary>
    private const string Wide =
        "conv(16, kernel=3, padding=1); batch_norm; relu; add { { conv(16, kernel=3, padding=1, bias=false); batch_norm; relu; "
        + "conv(16, kernel=3, padding=1) }; identity }; relu; conv(32, kernel=3, stride=2, padding=1); batch_norm; relu; "
        + "conv(32, kernel=3, padding=1, bias=false); batch_norm; relu; global_avg_pool; flatten; linear(5)";

    private Execution Fused(Precision precision = Precision.Float32) =>
        new(precision) { Kernels = kernels == "none" ? ComposedKernels.Instance : null };

    [TestCase(Residual)]
    [TestCase(Dense)]
    [TestCase(Inception)]
    [TestCase(Auxiliary)]
    [TestCase(Wide)]
    public void Fifty_steps_of_training_give_the_weights_of_plain_execution(string body)
    {
        var program = Specs.Network(body, "3 x 12 x 10");
        var plain = Trained(program, Execution.Plain, 50);
        var fused = Trained(program, Fused(), 50);
        Assert.That(fused.Keys, Is.EqualTo(plain.Keys));
        foreach (var (name, values) in plain)
            Assert.That(fused[name], Is.EqualTo(values).Within(1e-4), name);
    }

    [TestCase(Residual)]
    [TestCase(Dense)]
    [TestCase(Inception)]
    [TestCase(Wide)]
    public void Short_floats_train_to_nearly_the_same(string body)
    {
        var program = Specs.Network(body, "3 x 12 x 10");
        var (before, exact) = (Losses(program, Fused(), 1), Losses(program, Fused(), 100));
        double rounded = Losses(program, Fused(Precision.BFloat16), 100);
        Assert.That(exact, Is.LessThan(0.9 * before), "the network learns nothing to compare");
        Assert.That(rounded, Is.EqualTo(exact).Within(0.05 * before));
    }

    /// <summary>Maps narrower than the stride, where oneDNN reads beyond their rows.</summary>
    [TestCase("conv(32, kernel=3, stride=3, padding=1); flatten; linear(5)", "24 x 8 x 2")]
    [TestCase("conv(32, kernel=5, stride=2, padding=2, groups=2); relu; flatten; linear(5)", "16 x 9 x 1")]
    public void Gradients_of_narrow_maps_are_those_of_float32(string body, string input)
    {
        var program = Specs.Network(body, input);
        var images = randn([4, .. program.Input]);
        Tensor[] Gradients(Execution execution)
        {
            using var network = Seeded(program, execution);
            network.train();
            network.forward(images).square().sum().backward();
            return [.. network.parameters().Select(parameter => parameter.grad!)];
        }
        foreach (var (rounded, exact) in Gradients(Fused(Precision.BFloat16)).Zip(Gradients(Execution.Plain)))
        {
            double distance = (rounded - exact).norm().item<float>() / exact.norm().item<float>();
            Assert.That(distance, Is.LessThan(0.05));
        }
    }

    [Test]
    public void The_same_seed_gives_the_same_bits([Values] Precision precision, [Values(Inception, Wide)] string body)
    {
        var program = Specs.Network(body, "3 x 12 x 10");
        var first = Trained(program, Fused(precision), 5);
        foreach (var (name, values) in Trained(program, Fused(precision), 5))
            Assert.That(values, Is.EqualTo(first[name]), name);
    }

    [TestCase(Residual)]
    [TestCase(Dense)]
    [TestCase(Inception)]
    [TestCase(Auxiliary)]
    [TestCase(Bare)]
    [TestCase(Wide)]
    public void Evaluation_is_the_same_however_it_is_run(string body)
    {
        using var scope = NewDisposeScope();
        var program = Specs.Network(body, "3 x 12 x 10");
        var images = randn(3, 3, 12, 10);
        Tensor Logits(Execution execution)
        {
            using var network = Seeded(program, execution);
            using (no_grad())
                Unsettle(network);
            network.eval();
            using (no_grad())
                return network.forward(images);
        }
        var plain = Logits(Execution.Plain);
        Assert.That(plain.std().item<float>(), Is.GreaterThan(1e-3), "logits without a difference to compare");
        Assert.That(Logits(Fused()).allclose(plain, rtol: 1e-5, atol: 1e-5), Is.True);
        var rounded = Logits(Fused(Precision.BFloat16));
        Assert.That(rounded.dtype, Is.EqualTo(ScalarType.Float32));
        Assert.That(rounded.allclose(plain, rtol: 0.05, atol: 0.05), Is.True);
    }

    [TestCase(Precision.Float32)]
    [TestCase(Precision.BFloat16)]
    public void Evaluation_never_uses_weights_that_are_no_longer_the_networks(Precision precision)
    {
        using var scope = NewDisposeScope();
        var program = Specs.Network(Inception, "3 x 12 x 10");
        using var network = Seeded(program, Fused(precision));
        var images = randn(3, 3, 12, 10);
        network.eval();
        void ExpectFreshLogits(string after)
        {
            using var withoutGradient = no_grad();
            var actual = network.forward(images);
            using var fresh = Seeded(program, network.Execution);
            foreach (var (mine, theirs) in fresh.NamedWeights().Zip(network.NamedWeights()))
                mine.Tensor.copy_(theirs.Tensor);
            fresh.eval();
            Assert.That(actual.allclose(fresh.forward(images), rtol: 0, atol: 0), Is.True, after);
        }
        ExpectFreshLogits("nothing");
        using (no_grad())
            network.NamedWeights().First().Tensor.mul_(3);
        ExpectFreshLogits("a change in place");
        using (no_grad())
            Unsettle(network);
        ExpectFreshLogits("statistics set");
        Train(network, 2);
        network.eval();
        ExpectFreshLogits("training");
        using (network.FixWeights())
            ExpectFreshLogits("weights that were fixed");
        using (no_grad())
            network.NamedWeights().First().Tensor.mul_(3);
        ExpectFreshLogits("a change after weights were fixed");
        using (var optimizer = optim.SGD(network.parameters(), 0.5))
        {
            network.forward(images).sum().backward();
            optimizer.step();
        }
        ExpectFreshLogits("a step in evaluation mode");
    }

    /// <summary>libtorch lacks some operators' gradients in bfloat16.</summary>
    [Test]
    public void Every_activation_trains(
        [Values(
            "relu",
            "relu6",
            "leaky_relu",
            "elu",
            "selu",
            "gelu",
            "silu",
            "mish",
            "softplus",
            "sigmoid",
            "tanh",
            "hard_sigmoid",
            "hard_swish"
        )]
            string activation,
        [Values] Precision precision
    )
    {
        using var scope = NewDisposeScope();
        using var network = Seeded(
            Specs.Network(
                $"conv(8, kernel=3); {activation}; conv(4, kernel=3); {activation}; global_avg_pool; flatten; linear(3)",
                "3 x 9 x 11"
            ),
            Fused(precision)
        );
        network.forward(randn(2, 3, 9, 11)).sum().backward();
        foreach (var parameter in network.parameters())
            Assert.That(parameter.grad!.isfinite().all().item<bool>(), Is.True);
    }

    /// <summary>The meta device has shapes and no memory: what would touch the machine's memory fails there, as it would on a GPU, and
    /// so does what mixes devices. libtorch has no convolutions, batch norm or ReLU there.</summary>
    [Test]
    public void On_another_device_nothing_is_left_to_the_processor([Values] Precision precision, [Values] bool training)
    {
        const string body =
            "leaky_relu; max_pool(2, stride=1); add { { leaky_relu; avg_pool(3, stride=1, padding=1) }; identity }; "
            + "concat { identity; { max_pool(3, stride=1, padding=1) } }; aux(weight=0.4) { avg_pool(2); flatten; linear(5) }; "
            + "avg_pool(2); global_avg_pool; flatten; linear(5)";
        using var scope = NewDisposeScope();
        using var network = Seeded(Specs.Network(body, "3 x 12 x 10"), Fused(precision) with { Device = META });
        network.train(training);
        var images = randn(3, 3, 12, 10);
        foreach (var output in network.ForwardWithHeads(images))
        {
            Check(output);
            output.sum().backward(retain_graph: true);
        }
        using (no_grad())
            Check(network.forward(images));
        foreach (var (name, weight) in network.NamedWeights())
            Assert.That(weight.device_type, Is.EqualTo(DeviceType.META), name);

        static void Check(Tensor logits)
        {
            Assert.That(logits.device_type, Is.EqualTo(DeviceType.META));
            Assert.That(logits.shape, Is.EqualTo(new long[] { 3, 5 }));
            Assert.That(logits.dtype, Is.EqualTo(ScalarType.Float32));
        }
    }

    [Test]
    public void Evaluation_with_a_gradient_reaches_every_parameter()
    {
        using var scope = NewDisposeScope();
        using var network = Seeded(Specs.Network(Inception, "3 x 12 x 10"), Fused());
        network.eval();
        var images = randn(3, 3, 12, 10);
        using (no_grad())
            network.forward(images);
        network.forward(images).pow(2).sum().backward();
        Assert.That(network.parameters().All(parameter => parameter.grad is not null), Is.True);
    }

    [Test]
    public void Folded_weights_are_given_back()
    {
        var program = Specs.Network(Inception, "3 x 12 x 10");
        using var network = Seeded(program, Fused(Precision.BFloat16));
        void Evaluate()
        {
            using var scope = NewDisposeScope();
            using var withoutGradient = no_grad();
            network.eval();
            network.forward(randn(2, 3, 12, 10));
            network.NamedWeights().First().Tensor.mul_(2);
            network.forward(randn(2, 3, 12, 10));
        }
        Evaluate();
        long before = Tensor.TotalCount;
        for (int i = 0; i < 3; i++)
            Evaluate();
        Assert.That(Tensor.TotalCount, Is.LessThanOrEqualTo(before));
    }

    [Test]
    public void Training_in_short_floats_leaks_no_tensor()
    {
        var program = Specs.Network(Residual, "3 x 12 x 10");
        using var network = Seeded(program, Fused(Precision.BFloat16));
        void Step()
        {
            using var scope = NewDisposeScope();
            network.zero_grad();
            nn.functional.cross_entropy(network.forward(randn(2, 3, 12, 10)), tensor(new long[] { 0, 2 })).backward();
        }
        Step();
        long before = Tensor.TotalCount;
        for (int i = 0; i < 20; i++)
            Step();
        Assert.That(Tensor.TotalCount, Is.LessThanOrEqualTo(before));
    }

    /// <summary>Statistics and factors as training leaves them, far from zero and one, so that folding them shows.</summary>
    private static void Unsettle(Network network)
    {
        random.manual_seed(5);
        foreach (var (name, tensor) in network.NamedWeights())
            if (name.EndsWith("running_var", StringComparison.Ordinal))
                tensor.uniform_(0.3, 3);
            else if (tensor.dim() == 1)
                tensor.normal_(0.2, 0.5);
    }

    private static Network Seeded(Program program, Execution execution)
    {
        EngineSetup.Initialise();
        random.manual_seed(7);
        return new Network(program, execution: execution);
    }

    private static Dictionary<string, float[]> Trained(Program program, Execution execution, int steps)
    {
        using var network = Seeded(program, execution);
        Train(network, steps);
        return network
            .NamedWeights()
            .ToDictionary(weight => weight.Name, weight => weight.Tensor.@float().flatten().data<float>().ToArray());
    }

    private static double Losses(Program program, Execution execution, int steps)
    {
        using var network = Seeded(program, execution);
        return Train(network, steps);
    }

    /// <summary>Steps on one batch; the loss of the last.</summary>
    private static double Train(Network network, int steps)
    {
        using var all = NewDisposeScope();
        random.manual_seed(11);
        var images = randn([16, .. network.Program.Input]);
        var labels = randint(0, 5, [16]).to(int64);
        using var optimizer = optim.SGD(network.parameters(), 0.01, 0.9);
        network.train();
        double last = 0;
        for (int i = 0; i < steps; i++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var loss = network
                .ForwardWithHeads(images)
                .Select(output => nn.functional.cross_entropy(output, labels))
                .Aggregate((sum, next) => sum.add(next));
            loss.backward();
            optimizer.step();
            last = loss.item<float>();
        }
        return last;
    }
}
