using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Data;
using CnnSpec.Runtime.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>A network that cannot learn is told before the night is spent on it; one that can is left as it was.</summary>
public class PreflightTests
{
    private static (PreflightDone Look, bool Untouched) Look(string body, Action<Network>? spoil = null)
    {
        using var scope = NewDisposeScope();
        EngineSetup.Initialise();
        random.manual_seed(2);
        var plan = Runs.Plan(body, "batch = 32", "unused");
        using var network = new Network(plan.Program);
        spoil?.Invoke(network);
        var before = network.NamedWeights().Select(w => w.Tensor.clone()).ToArray();
        var look = Preflight.Of(network, TrainingData.Of(plan), new Objective(plan.Program, plan.Recipe));
        bool same = network.NamedWeights().Zip(before, (w, old) => w.Tensor.eq(old).all().item<bool>()).All(b => b);
        bool noGradients = network.parameters().All(parameter => parameter.grad is null);
        return (look, same && noGradients);
    }

    [Test]
    public void A_sound_network_passes_and_keeps_weights_and_running_statistics()
    {
        var (look, untouched) = Look("conv(4, kernel=3); batch_norm; relu; dropout(0.5); flatten; linear(10)");
        Assert.That(look.Loss, Is.EqualTo(Math.Log(10)).Within(0.5));
        Assert.That((look.IsOff, look.Parameters), Is.EqualTo((false, 6)));
        Assert.That(look.WithoutGradient.Concat(look.ZeroGradient), Is.Empty);
        Assert.That(untouched);
    }

    [Test]
    public void First_weights_that_are_far_too_large_show_in_the_loss()
    {
        var (look, _) = Look(
            "conv(4, kernel=3); relu; flatten; linear(10)",
            network =>
            {
                using var quiet = no_grad();
                network.parameters().Last(p => p.dim() == 2).mul_(100);
            }
        );
        Assert.That(look.IsOff);
        Assert.That(look.Loss, Is.GreaterThan(2 * look.Guessing));
    }

    [Test]
    public void Layers_behind_a_factor_of_zero_are_named()
    {
        var (look, _) = Look("first: conv(4, kernel=3); affine(scale=0, shift=1); flatten; linear(10)");
        Assert.That(look.ZeroGradient, Is.EqualTo(new[] { "first.weight", "first.bias" }));
    }

    [Test]
    public void A_run_gives_the_same_weights_however_often_one_looked_before()
    {
        const string body = "conv(4, kernel=3); batch_norm; relu; dropout(0.5); flatten; linear(10)";
        var (once, told) = Runs.Train(body, "epochs = 1; batch = 32");
        Assert.That(told.OfType<PreflightDone>().Count(), Is.EqualTo(1));
        for (int i = 0; i < 3; i++)
            Look(body);
        var (again, _) = Runs.Train(body, "epochs = 1; batch = 32");
        Assert.That(Runs.Distance(once, again), Is.Zero);
    }

    [TestCase("conv(8, kernel=3); batch_norm; relu; dropout(0.3); flatten; linear(10)", ExpectedResult = true)]
    [TestCase("conv(8, kernel=3); affine(scale=0, shift=1); flatten; linear(10)", ExpectedResult = false)]
    public bool One_batch_is_learnt_by_heart_by_a_network_that_sees_it(string body)
    {
        using var folder = new TestFolder();
        var plan = Runs.Plan(body, "batch = 16; optimizer = adam(lr=0.01); augment = cutout(8)", folder.Path);
        var looks = new List<BatchLook>();
        bool learnt = new OverfitBatch(plan, e => looks.Add((BatchLook)e)).Execute(200, CancellationToken.None);
        Assert.That(looks[0].Step, Is.Zero);
        Assert.That(looks[^1].Loss, Is.LessThan(looks[0].Loss));
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.Empty, "nothing is kept");
        return learnt;
    }
}
