using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Networks;
using CnnSpec.Runtime.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>When a loss is lost, the layer that lost it is named, not one that merely passed it on.</summary>
public class NumberCheckTests
{
    private const string Body = "conv(4, kernel=3)\n sigmoid\n global_avg_pool; flatten\n linear(10)";

    private static string Culprit(string body, Action<Network>? spoil = null)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(3);
        using var network = new Network(Specs.Network(body, "2 x 6 x 9"));
        spoil?.Invoke(network);
        network.train();
        var labels = tensor(new long[] { 1, 2 });
        return NumberCheck.FirstCulprit(
            network,
            rand(2, 2, 6, 9),
            outputs => nn.functional.cross_entropy(outputs[0], labels)
        );
    }

    private static void Fill(Network network, string weight, float value)
    {
        using var quiet = no_grad();
        network.NamedWeights().Single(w => w.Name == weight).Tensor.fill_(value);
    }

    [Test]
    public void An_output_that_overflows_is_traced_to_its_layer() =>
        Assert.That(
            Culprit(Body, network => Fill(network, "0.weight", 3e38f)),
            Does.Contain("output is not finite is 0 (conv, line 3 of the spec)")
        );

    [Test]
    public void Spoilt_weights_are_told_from_a_spoilt_output() =>
        Assert.That(
            Culprit(Body, network => Fill(network, "4.bias", float.NaN)),
            Is.EqualTo("the weights of 4 (linear, line 6 of the spec) are no longer finite")
        );

    [Test]
    public void Finite_logits_whose_loss_overflows_are_not_blamed_on_a_layer() =>
        Assert.That(
            Culprit(
                "flatten; linear(10)",
                network =>
                {
                    Fill(network, "1.weight", 0);
                    using var quiet = no_grad();
                    var bias = network.NamedWeights().Single(w => w.Name == "1.bias").Tensor;
                    bias.copy_(tensor(new[] { 3e38f, -3e38f, -3e38f, 0, 0, 0, 0, 0, 0, 0 }));
                }
            ),
            Does.Contain("too large for the loss")
        );

    [Test]
    public void A_gradient_that_overflows_is_traced_to_the_layer_that_made_it() =>
        // Forward the factor meets small numbers, backward large ones.
        Assert.That(
            Culprit(
                "conv(4, kernel=1)\n affine(scale=1e30, shift=0)\n flatten\n linear(10)",
                network =>
                {
                    Fill(network, "0.weight", 1e-12f);
                    Fill(network, "0.bias", 0);
                    using var quiet = no_grad();
                    network.NamedWeights().Single(w => w.Name == "3.weight").Tensor.mul_(1e12f);
                }
            ),
            Does.Match(@"gradient is not finite is \S+ \(affine, line 4 of the spec\)")
        );

    [Test]
    public void Finite_gradients_have_a_finite_sum_and_one_nan_among_them_is_seen()
    {
        using var scope = NewDisposeScope();
        var gradients = new[] { rand(3, 4), rand(5).neg(), zeros(2, 2) };
        Assert.That(IsFinite(gradients));
        Assert.That(IsFinite([.. gradients, tensor(new[] { 1f, float.NaN })]), Is.False);
        Assert.That(IsFinite([.. gradients, tensor(new[] { float.NegativeInfinity })]), Is.False);
        Assert.That(
            IsFinite([.. gradients, tensor(new[] { float.NegativeInfinity, float.PositiveInfinity })]),
            Is.False
        );
        Assert.That(IsFinite([]));
    }

    private static bool IsFinite(Tensor[] gradients) =>
        float.IsFinite(NumberCheck.Magnitude(gradients, CPU).item<float>());
}
