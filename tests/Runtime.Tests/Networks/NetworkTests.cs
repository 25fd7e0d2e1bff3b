using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Networks;

public class NetworkTests
{
    [Test]
    public void Weights_have_the_names_that_the_spec_gives_them()
    {
        using var network = new Network(
            Specs.Network("stem: conv(8, kernel=3); layer1: repeat 2 { conv(8, kernel=1); batch_norm; relu }")
        );
        Assert.That(
            network.state_dict().Keys,
            Is.EquivalentTo(
                new[]
                {
                    "stem.weight",
                    "stem.bias",
                    "layer1.0.weight",
                    "layer1.0.bias",
                    "layer1.1.weight",
                    "layer1.1.bias",
                    "layer1.1.running_mean",
                    "layer1.1.running_var",
                    "layer1.1.num_batches_tracked",
                    "layer1.3.weight",
                    "layer1.3.bias",
                    "layer1.4.weight",
                    "layer1.4.bias",
                    "layer1.4.running_mean",
                    "layer1.4.running_var",
                    "layer1.4.num_batches_tracked",
                }
            )
        );
        Assert.That(network.NamedWeights().Select(w => w.Name), Is.EquivalentTo(network.state_dict().Keys));
    }

    [Test]
    public void Heads_of_training_are_there_in_training_only()
    {
        using var scope = NewDisposeScope();
        using var network = new Network(
            Specs.Network(
                "conv(4, kernel=3); aux(weight=0.4) { global_avg_pool; flatten; linear(3) }; flatten; linear(3)"
            )
        );
        var images = randn(2, 16, 20, 28);
        Assert.That(network.ForwardWithHeads(images), Has.Length.EqualTo(2));
        network.eval();
        Assert.That(network.ForwardWithHeads(images), Has.Length.EqualTo(1));
    }

    [Test]
    public void Batch_statistics_move_in_training_and_stand_still_in_evaluation()
    {
        using var scope = NewDisposeScope();
        using var network = new Network(Specs.Network("batch_norm(momentum=0.5)"));
        var images = randn(4, 16, 20, 28).mul(3).add(2);
        Tensor Mean() => network.state_dict()["0.running_mean"].clone();
        var before = Mean();
        network.eval();
        network.forward(images);
        Assert.That(Mean().allclose(before), Is.True);
        network.train();
        network.forward(images);
        var expected = images.mean([0, 2, 3]).mul(0.5);
        Assert.That(Mean().allclose(expected, atol: 1e-5), Is.True);
        Assert.That(network.state_dict()["0.num_batches_tracked"].item<long>(), Is.EqualTo(1));
    }

    [Test]
    public void Initialisation_rules_reach_the_weights_they_name()
    {
        random.manual_seed(3);
        using var network = new Network(
            Specs.Network(
                "conv(64, kernel=3); fc: { flatten; linear(100) }; init { conv = normal(1, 0.1); bias = 0.25; fc.1.weight = constant(2) }"
            )
        );
        var weights = network.state_dict();
        Assert.That(weights["0.weight"].mean().item<float>(), Is.EqualTo(1).Within(0.01));
        Assert.That(weights["0.weight"].std().item<float>(), Is.EqualTo(0.1).Within(0.01));
        Assert.That(weights["0.bias"].eq(0.25).all().item<bool>(), Is.True);
        Assert.That(weights["fc.1.weight"].eq(2).all().item<bool>(), Is.True);
    }

    [Test]
    public void Without_rules_weights_begin_as_in_pytorch()
    {
        random.manual_seed(3);
        using var network = new Network(Specs.Network("conv(64, kernel=3)"));
        // Kaiming uniform with a = √5 is uniform within ±1/√fan-in, and so is the bias.
        double bound = 1 / Math.Sqrt(16 * 9);
        foreach (var (name, weight) in network.NamedWeights())
        {
            Assert.That(weight.abs().max().item<float>(), Is.LessThanOrEqualTo(bound), name);
            Assert.That(weight.abs().max().item<float>(), Is.GreaterThan(0.9 * bound), name);
        }
    }

    [Test]
    public void Dropped_paths_drop_whole_samples_and_keep_the_mean()
    {
        random.manual_seed(5);
        using var scope = NewDisposeScope();
        using var network = new Network(Specs.Network("drop_path(0.25)"));
        var output = network.forward(ones(4000, 16, 2, 2));
        var perSample = output.flatten(1);
        Assert.That(perSample.eq(perSample.narrow(1, 0, 1)).all().item<bool>(), Is.True);
        Assert.That(output.mean().item<float>(), Is.EqualTo(1).Within(0.05));
    }

    [Test]
    public void Two_hundred_steps_leak_no_tensor()
    {
        using var network = new Network(
            Specs.Network(
                "add { conv(16, kernel=3, padding=1); identity }; batch_norm; relu; drop_path(0.1); channel_shuffle(2); layer_norm(over=\"channels\"); global_avg_pool; flatten; linear(3)"
            )
        );
        void Step()
        {
            using var scope = NewDisposeScope();
            network.zero_grad();
            nn.functional.cross_entropy(network.forward(randn(2, 16, 20, 28)), tensor(new long[] { 0, 2 })).backward();
        }
        Step();
        // What other tests have left to the collector must not go in the meantime.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = torch.Tensor.TotalCount;
        for (int i = 0; i < 200; i++)
            Step();
        Assert.That(torch.Tensor.TotalCount, Is.EqualTo(before));
    }
}
