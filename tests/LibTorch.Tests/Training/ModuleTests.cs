using NUnit.Framework;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.LibTorch.Tests.Training;

/// <summary>Weights travel by name between programs; names, order and modes must be PyTorch's.</summary>
[TestFixture]
public sealed class ModuleTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Open() => _scope = NewDisposeScope();

    [TearDown]
    public void Close() => _scope.Dispose();

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv1 = Conv2d(2, 3, (1, 3));
        private readonly BatchNorm2d bn1 = BatchNorm2d(3);
        private readonly Parameter scale = Parameter(ones(1));
        private readonly Tensor mask = ones(2);

        public Block()
            : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input) => bn1.call(conv1.call(input)) * scale;
    }

    [Test]
    public void Names_fall_out_of_the_nesting()
    {
        using var network = Sequential(("stem", new Block()), ("head", Sequential(Flatten(), Linear(6, 2, false))));
        Assert.That(
            network.named_parameters().Select(entry => entry.name),
            Is.EqualTo(
                new[]
                {
                    "stem.scale",
                    "stem.conv1.weight",
                    "stem.conv1.bias",
                    "stem.bn1.weight",
                    "stem.bn1.bias",
                    "head.1.weight",
                }
            )
        );
        Assert.That(
            network.named_buffers().Select(entry => entry.name),
            Is.EqualTo(
                new[] { "stem.mask", "stem.bn1.running_mean", "stem.bn1.running_var", "stem.bn1.num_batches_tracked" }
            )
        );
        Assert.That(
            network.named_modules().Select(entry => entry.name),
            Is.EqualTo(new[] { "stem", "stem.conv1", "stem.bn1", "head", "head.0", "head.1" })
        );
        Assert.That(network.state_dict().Keys, Has.Count.EqualTo(10));
    }

    [Test]
    public void A_state_loads_by_name_and_says_what_does_not_fit()
    {
        using var source = new Block();
        using var target = new Block();
        target.load_state_dict(source.state_dict());
        var x = randn(2, 2, 3, 5);
        Assert.That(target.call(x).allclose(source.call(x)));

        var state = source.state_dict();
        state.Remove("conv1.bias");
        state["extra"] = ones(1);
        Assert.That(
            () => target.load_state_dict(state),
            Throws.InvalidOperationException.With.Message.Contains("missing: [conv1.bias], unexpected: [extra]")
        );
        var (missing, unexpected) = target.load_state_dict(state, strict: false);
        Assert.That((missing.Single(), unexpected.Single()), Is.EqualTo(("conv1.bias", "extra")));
        state["conv1.weight"] = ones(1);
        Assert.That(
            () => target.load_state_dict(state, strict: false),
            Throws.ArgumentException.With.Message.Contains("'conv1.weight' has shape [1] in the state and [3, 2, 1, 3]")
        );
    }

    [Test]
    public void Training_and_evaluation_reach_every_child()
    {
        using var network = Sequential(new Block(), Sequential(Dropout()));
        network.eval();
        Assert.That(network.modules().Append(network).Any(module => module.training), Is.False);
        var before = network.state_dict()["0.bn1.running_mean"].clone();
        network.call(randn(2, 2, 3, 5));
        Assert.That(network.state_dict()["0.bn1.running_mean"].allclose(before));
        network.train();
        network.call(randn(2, 2, 3, 5));
        Assert.That(network.state_dict()["0.bn1.running_mean"].allclose(before), Is.False);
        Assert.That(network.state_dict()["0.bn1.num_batches_tracked"].item<long>(), Is.EqualTo(1));
    }

    [Test]
    public void Another_type_keeps_the_very_tensors_that_an_optimizer_holds()
    {
        using var network = Sequential(Linear(3, 2), BatchNorm2d(2));
        var weight = network.parameters().First();
        network.to(float64);
        Assert.That(weight.dtype, Is.EqualTo(ScalarType.Float64));
        Assert.That(network.parameters().First(), Is.SameAs(weight));
        Assert.That(weight.requires_grad && weight.is_leaf);
        Assert.That(network.state_dict()["1.num_batches_tracked"].dtype, Is.EqualTo(ScalarType.Int64));
        (weight * 2.0).sum().backward();
        Assert.That(weight.grad!.dtype, Is.EqualTo(ScalarType.Float64));
        Assert.That(() => network.to(int32), Throws.ArgumentException);
    }

    [Test]
    public void What_a_module_registers_outlives_the_scope_it_was_made_in()
    {
        Block block;
        using (NewDisposeScope())
            block = new Block();
        using (block)
            Assert.That(block.parameters().Any(parameter => parameter.IsInvalid), Is.False);
        Assert.That(block.parameters().All(parameter => parameter.IsInvalid));
    }

    [Test]
    public void Hooks_see_and_replace_what_passes()
    {
        using var layer = Linear(2, 2);
        var seen = new List<long>();
        var before = layer.register_forward_pre_hook((_, input) => input * 0);
        var after = layer.register_forward_hook(
            (_, _, output) =>
            {
                seen.Add(output.numel());
                return output;
            }
        );
        Assert.That(layer.call(ones(1, 2)).allclose(layer.bias!.unsqueeze(0)));
        before.remove();
        after.remove();
        layer.call(ones(1, 2));
        Assert.That(seen, Is.EqualTo(new long[] { 2 }));
    }

    [Test]
    public void Two_components_of_one_name_are_refused()
    {
        using var network = Sequential(("a", ReLU()));
        Assert.That(() => network.append("a", ReLU()), Throws.InvalidOperationException);
        Assert.That(() => network.append("a.b", ReLU()), Throws.ArgumentException);
    }

    [Test]
    public void Lists_and_dictionaries_register_their_modules()
    {
        using var list = ModuleList<Module<Tensor, Tensor>>(Linear(2, 3), ReLU());
        using var dictionary = ModuleDict<Module<Tensor, Tensor>>(("left", Linear(2, 3)), ("right", Identity()));
        Assert.That(list.named_parameters().Select(entry => entry.name), Is.EqualTo(new[] { "0.weight", "0.bias" }));
        Assert.That(dictionary.has_parameter("left.weight"));
        Assert.That((list.Count, dictionary.keys().Last()), Is.EqualTo((2, "right")));
    }
}
