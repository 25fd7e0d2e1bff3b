using System.Runtime.InteropServices;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch.Tests.Lifetime;

/// <summary>What goes wrong must say so in libtorch's words, and must not take the process along.</summary>
[TestFixture]
public sealed class FailureTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Open() => _scope = NewDisposeScope();

    [TearDown]
    public void Close() => _scope.Dispose();

    [Test]
    public void A_shape_mismatch_brings_libtorchs_message_and_no_stack()
    {
        var failure = Assert.Throws<LibTorchException>(() => ones(2, 3).mm(ones(4, 5)));
        Assert.That(failure!.Message, Is.EqualTo("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"));
        Assert.That(failure, Is.InstanceOf<ExternalException>());
    }

    [Test]
    public void A_failure_in_the_backward_pass_arrives_too()
    {
        var x = ones(2, requires_grad: true);
        var failure = Assert.Throws<LibTorchException>(() => (x * 2).backward());
        Assert.That(failure!.Message, Does.StartWith("grad can be implicitly created only for scalar outputs"));
        Assert.That(failure.Message, Does.Not.Contain("c10").And.Not.Contain("frame #"));
    }

    [Test]
    public void An_unknown_operator_is_named()
    {
        Assert.That(
            () => Dispatcher.Find("aten::no_such_thing"),
            Throws.InstanceOf<LibTorchException>().With.Message.Contains("has no operator aten::no_such_thing")
        );
        Assert.That(Dispatcher.Has("aten::relu"));
        Assert.That(Dispatcher.Has("aten::no_such_thing"), Is.False);
    }

    [Test]
    public void A_long_message_that_is_not_ascii_arrives_whole()
    {
        var name = "aten::" + string.Concat(Enumerable.Repeat("größe→形", 14_000));
        var failure = Assert.Throws<LibTorchException>(() => Dispatcher.Find(name));
        Assert.That(failure!.Message, Does.EndWith(name));
    }

    [Test]
    public void Arguments_that_do_not_fit_are_named_with_the_schema()
    {
        var conv = Dispatcher.Find("aten::conv2d");
        Assert.That(
            () => conv.Call(ones(1, 1, 2, 2), "weight"),
            Throws
                .InstanceOf<LibTorchException>()
                .With.Message.Contains("argument 2 (weight)")
                .And.Message.Contains("aten::conv2d(")
        );
        Assert.That(
            () => conv.Call(ones(1, 1, 2, 2)),
            Throws.InstanceOf<LibTorchException>().With.Message.Contains("argument 2 (weight) is missing")
        );
        Assert.That(
            () => Dispatcher.Find("aten::relu").Call(ones(1), 1L, 2L),
            Throws.InstanceOf<LibTorchException>().With.Message.Contains("takes 1 arguments, not 3")
        );
    }

    [Test]
    public void A_disposed_tensor_says_so()
    {
        var x = ones(2);
        x.Dispose();
        x.Dispose();
        Assert.That(() => x.sum(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => ones(2) + x, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => x.shape, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => cat([ones(2), x]), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(x.ToString(), Is.EqualTo("[disposed]"));
    }

    [Test]
    public void Threads_keep_their_errors_scopes_and_modes_apart()
    {
        Parallel.For(
            0,
            4,
            new ParallelOptions { MaxDegreeOfParallelism = 4 },
            thread =>
            {
                for (var i = 0; i < 200; i++)
                {
                    using var scope = NewDisposeScope();
                    using var mode = thread % 2 == 0 ? no_grad() : enable_grad();
                    var (rows, columns) = (2 + thread, 3 + i);
                    var failure = Assert.Throws<LibTorchException>(() => ones(rows, columns).mm(ones(1, 1)));
                    Assert.That(failure!.Message, Does.Contain($"({rows}x{columns} and 1x1)"));
                    var y = ones(rows, requires_grad: true) * 2;
                    Assert.That(y.requires_grad, Is.EqualTo(thread % 2 == 1));
                }
            }
        );
    }
}
