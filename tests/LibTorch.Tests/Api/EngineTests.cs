using System.Diagnostics;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Api;

/// <summary>What TorchSharp does not have, and users of this engine count on.</summary>
[TestFixture]
public sealed class EngineTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Open() => _scope = NewDisposeScope();

    [TearDown]
    public void Close() => _scope.Dispose();

    [Test]
    public void The_engine_says_what_it_is()
    {
        Assert.That(Engine.Version, Does.Match(@"^\d+\.\d+\.\d+"));
        Assert.That(Engine.Config, Does.Contain("PyTorch built with"));
        var threads = Engine.Threads;
        Engine.Threads = 2;
        Assert.That(Engine.Threads, Is.EqualTo(2));
        Engine.Threads = threads;
        Assert.That(cuda.is_available(), Is.EqualTo(cuda.device_count() > 0));
    }

    [Test]
    public void Any_operator_can_be_called_with_its_schemas_defaults()
    {
        var (a, b) = (ones(2), full([3], 2.0));
        Dispatcher.Find("aten::_foreach_add_", "List").Run(new[] { a, b }, new[] { ones(2), ones(3) }, 0.5);
        Assert.That((a.sum().item<float>(), b.sum().item<float>()), Is.EqualTo((3f, 7.5f)));
        var add = Dispatcher.Find("aten::add", "Tensor");
        Assert.That(add.Schema, Does.StartWith("aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1)"));
        Assert.That(add.Call(a, a).sum().item<float>(), Is.EqualTo(6));
        // A whole number where the operator takes a real one.
        Assert.That(Dispatcher.Find("aten::softplus").Call(zeros(1), 1L).item<float>(), Is.EqualTo(0.6931472f));
        var (values, _) = Dispatcher.Find("aten::sort").Call2(tensor(new[] { 2f, 1f }));
        Assert.That(values[0].item<float>(), Is.EqualTo(1));
        Assert.That(Dispatcher.Find("aten::unbind", "int").CallList(ones(2, 3)), Has.Length.EqualTo(2));
        Assert.That(Dispatcher.Find("aten::size", "int").CallScalar(ones(2, 3), 1L).ToInt64(), Is.EqualTo(3));
        Assert.That(() => add.CallList(a, a), Throws.InvalidOperationException.With.Message.Contains("kind Tensor"));
    }

    [Test]
    public void Channels_last_changes_the_memory_and_nothing_else()
    {
        var x = randn(2, 3, 4, 5);
        var turned = x.ChannelsLast();
        Assert.That(turned.stride(), Is.EqualTo(new long[] { 60, 1, 15, 3 }));
        Assert.That(turned.IsContiguous(memory_format.channels_last) && !x.IsContiguous(memory_format.channels_last));
        using var layer = nn.Conv2d(3, 4, (3, 1)).ChannelsLast();
        Assert.That(layer.weight.IsContiguous(memory_format.channels_last) && layer.weight.is_leaf);
        var plain = F.conv2d(x, layer.weight.contiguous(), layer.bias);
        Assert.That(layer.call(turned).allclose(plain, atol: 1e-5));
        layer.call(turned).sum().backward();
        Assert.That(layer.weight.grad!.shape, Is.EqualTo(layer.weight.shape));
    }

    [Test]
    public void Autocast_runs_convolutions_in_bfloat16_and_leaves_gradients_in_float32()
    {
        var (x, weight) = (randn(2, 3, 5, 4), randn(4, 3, 3, 3, requires_grad: true));
        Tensor loss;
        using (new Autocast(DeviceType.CPU))
        {
            Assert.That(Autocast.IsEnabled(DeviceType.CPU));
            var y = F.conv2d(x, weight);
            Assert.That(y.dtype, Is.EqualTo(ScalarType.BFloat16));
            loss = y.@float().square().mean();
        }
        Assert.That(Autocast.IsEnabled(DeviceType.CPU), Is.False);
        Assert.That(F.conv2d(x, weight).dtype, Is.EqualTo(ScalarType.Float32));
        loss.backward();
        Assert.That(weight.grad!.dtype, Is.EqualTo(ScalarType.Float32));
        var exact = F.conv2d(x, weight).square().mean();
        Assert.That(loss.item<float>(), Is.EqualTo(exact.item<float>()).Within(5).Percent);
    }

    [Test]
    public void Grad_modes_nest()
    {
        var x = ones(1, requires_grad: true);
        using (no_grad())
        {
            Assert.That((x * 2).requires_grad, Is.False);
            using (enable_grad())
                Assert.That((x * 2).requires_grad);
            Assert.That(is_grad_enabled(), Is.False);
        }
        using (inference_mode())
            Assert.That(is_inference_mode_enabled() && !(x * 2).requires_grad);
        Assert.That(is_grad_enabled() && !is_inference_mode_enabled());
    }

    [Test, Explicit("measures; the machine should be idle")]
    public void A_call_costs_little_more_than_libtorch_itself()
    {
        const int calls = 200_000;
        var (x, query, relu) = (ones(4), Dispatcher.Find("aten::is_floating_point"), Dispatcher.Find("aten::relu"));
        for (var round = 0; round < 3; round++)
        {
            TestContext.Out.WriteLine(
                $"no tensor made: {Time(() => query.CallScalar(x)):F2} µs, a tensor made and freed: {Time(() => relu.Call(x).Dispose()):F2} µs"
            );
        }

        static double Time(Action call)
        {
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < calls; i++)
                call();
            return clock.Elapsed.TotalMicroseconds / calls;
        }
    }
}
