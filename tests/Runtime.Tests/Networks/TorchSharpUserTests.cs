using System.Reflection;
using CnnSpec.Runtime.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Networks;

/// <summary>What a user of TorchSharp does with a module works on a network that a spec built.</summary>
[Category("Slow")]
public class TorchSharpUserTests
{
    private const string Body =
        "conv(16, kernel=3, padding=1); batch_norm; relu; add { { conv(16, kernel=3, padding=1); batch_norm }; identity }; "
        + "relu; max_pool(2); global_avg_pool; flatten; linear(5)";

    private static Network Made(Execution? execution = null)
    {
        random.manual_seed(3);
        return new Network(Specs.Network(Body, "3 x 12 x 10"), execution);
    }

    [Test]
    public void It_stands_in_a_sequential_and_gradients_pass_through_it()
    {
        using var scope = NewDisposeScope();
        var first = nn.Conv2d(1, 3, 1);
        var model = nn.Sequential(("before", first), ("network", Made()), ("after", nn.Linear(5, 2)));
        model.train();
        var loss = nn.functional.cross_entropy(model.forward(randn(4, 1, 12, 10)), tensor(new long[] { 0, 1, 1, 0 }));
        loss.backward();
        foreach (var (name, parameter) in model.named_parameters())
            Assert.That(parameter.grad!.abs().sum().item<float>(), Is.GreaterThanOrEqualTo(0), name);
        Assert.That(first.weight!.grad!.abs().sum().item<float>(), Is.GreaterThan(0));
        Assert.That(model.state_dict().Keys, Does.Contain("network.0.weight"));
    }

    /// <summary>The gradients that libtorch's engine gets are those of plain execution, the input's too.</summary>
    [Test]
    public void Gradients_are_those_of_plain_execution()
    {
        using var scope = NewDisposeScope();
        var images = randn(4, 3, 12, 10);
        var labels = tensor(new long[] { 0, 1, 4, 2 });
        Dictionary<string, Tensor> Gradients(Execution execution)
        {
            var network = Made(execution);
            network.train();
            var input = images.clone().requires_grad_();
            nn.functional.cross_entropy(network.forward(input), labels).backward();
            var found = network.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.grad!);
            found["input"] = input.grad!;
            return found;
        }
        var plain = Gradients(Execution.Plain);
        foreach (var (name, gradient) in Gradients(new Execution()))
            Assert.That(gradient.allclose(plain[name], rtol: 1e-3, atol: 1e-5), Is.True, name);
    }

    [Test]
    public void Optimizers_and_schedulers_train_it()
    {
        using var scope = NewDisposeScope();
        var network = Made();
        network.train();
        var optimizer = optim.AdamW(network.parameters(), 0.02);
        var scheduler = optim.lr_scheduler.StepLR(optimizer, 20, 0.5);
        var (images, labels) = (randn(8, 3, 12, 10), randint(0, 5, [8]));
        var losses = new List<float>();
        for (int step = 0; step < 40; step++)
        {
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(network.forward(images), labels);
            loss.backward();
            optimizer.step();
            scheduler.step();
            losses.Add(loss.item<float>());
        }
        Assert.That(losses[^1], Is.LessThan(0.2 * losses[0]));
        Assert.That(optimizer.ParamGroups.First().LearningRate, Is.LessThan(0.02));
    }

    [Test]
    public void Weights_are_saved_and_loaded_in_TorchSharps_format()
    {
        using var scope = NewDisposeScope();
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.dat");
        try
        {
            var (saved, loaded) = (Made(), Made());
            foreach (var parameter in saved.parameters())
                using (no_grad())
                    parameter.add_(0.1f);
            var images = randn(2, 3, 12, 10);
            saved.save(file);
            saved.eval();
            loaded.eval();
            using var withoutGradient = no_grad();
            // Asked before, so that what evaluation made of the weights is old.
            Assert.That(loaded.forward(images).allclose(saved.forward(images)), Is.False);
            loaded.load(file);
            Assert.That(loaded.forward(images).allclose(saved.forward(images)), Is.True);
            var third = Made();
            third.eval();
            third.load_state_dict(saved.state_dict());
            Assert.That(third.forward(images).allclose(saved.forward(images)), Is.True);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public void Another_type_takes_it_as_other_modules()
    {
        using var scope = NewDisposeScope();
        var network = Made();
        network.eval();
        var images = randn(2, 3, 12, 10);
        using var withoutGradient = no_grad();
        var before = network.forward(images);
        network.to(ScalarType.Float64);
        Assert.That(network.parameters().All(parameter => parameter.dtype == ScalarType.Float64), Is.True);
        var wide = network.forward(images.to(ScalarType.Float64));
        Assert.That(wide.to(ScalarType.Float32).allclose(before, rtol: 1e-4, atol: 1e-5), Is.True);
        network.to(ScalarType.Float32);
        Assert.That(network.forward(images).allclose(before, rtol: 1e-5, atol: 1e-6), Is.True);
    }

    [Test]
    public void Training_and_evaluation_differ_as_batch_norm_does()
    {
        using var scope = NewDisposeScope();
        var network = Made();
        var images = randn(4, 3, 12, 10).mul(3).add(1);
        network.train();
        var training = network.forward(images).detach();
        network.eval();
        var evaluation = network.forward(images).detach();
        Assert.That(network.training, Is.False);
        Assert.That(training.allclose(evaluation, rtol: 1e-3, atol: 1e-3), Is.False);
    }

    /// <summary>TorchVision's models are the specs', name by name, and compute the same.</summary>
    [TestCase("resnet18")]
    [TestCase("alexnet")]
    [TestCase("vgg16")]
    [TestCase("inception_v3")]
    [TestCase("mobilenet_v2")]
    public void TorchVisions_weights_load_by_name(string name)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var (spec, theirs) = name switch
        {
            "resnet18" => ("resnet18", (nn.Module<Tensor, Tensor>)torchvision.models.resnet18()),
            "alexnet" => ("alexnet", torchvision.models.alexnet()),
            "vgg16" => ("vgg16", torchvision.models.vgg16()),
            "inception_v3" => ("inception-v3", torchvision.models.inception_v3(transform_input: false)),
            _ => ("mobilenet-v2", torchvision.models.mobilenet_v2()),
        };
        var program = Specs.Program(File.ReadAllText(Path.Combine(Specs.Root, "specs", "imagenet", $"{spec}.cnn")));
        var ours = new Network(program);
        var (missing, unexpected) = ours.load_state_dict(theirs.state_dict(), strict: false);
        Assert.That(missing, Is.Empty);
        Assert.That(unexpected, Is.Empty);
        theirs.eval();
        ours.eval();
        using var withoutGradient = no_grad();
        var images = randn([2, .. program.Input]);
        var expected = theirs.forward(images);
        var distance = ours.forward(images).sub(expected).norm() / expected.norm();
        Assert.That(distance.item<float>(), Is.LessThan(1e-3));
    }

    /// <summary>Where the machine's C++ runtime is too old for TorchSharp's library, the copy that is loaded is that library but for
    /// one flag.</summary>
    [Test]
    public void Of_TorchSharps_library_one_flag_is_changed_at_most()
    {
        string loaded = typeof(Network)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "CnnSpec.LibTorchSharp")
            .Value!;
        if (!loaded.Contains("artifacts"))
            Assert.Ignore("this machine's C++ runtime is new enough");
        string packages =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        byte[] original = File.ReadAllBytes(
            Path.Combine(packages, "torchsharp", "0.107.0", "runtimes", "linux-x64", "native", "libLibTorchSharp.so")
        );
        byte[] copy = File.ReadAllBytes(loaded);
        Assert.That(copy, Has.Length.EqualTo(original.Length));
        int[] changed = [.. Enumerable.Range(0, copy.Length).Where(i => copy[i] != original[i])];
        Assert.That(changed, Has.Length.EqualTo(1));
        const int weak = 2;
        Assert.That(copy[changed[0]], Is.EqualTo(original[changed[0]] | weak));
    }
}
