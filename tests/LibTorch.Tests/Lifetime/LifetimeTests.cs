using System.Runtime.CompilerServices;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.LibTorch.Tests.Lifetime;

/// <summary>A leak of one tensor a step fills a machine overnight; one freed too early crashes without a trace.</summary>
[TestFixture]
public sealed class LifetimeTests
{
    [Test]
    public void Training_steps_in_scopes_leave_no_handles_behind()
    {
        using var outer = NewDisposeScope();
        using var network = Sequential(
            Conv2d(3, 8, 3, padding: 1),
            BatchNorm2d(8),
            ReLU(),
            MaxPool2d(2),
            Conv2d(8, 4, (3, 1), groups: 2),
            AdaptiveAvgPool2d(1),
            Flatten(),
            Linear(4, 5)
        );
        using var optimizer = optim.Adam(network.parameters(), lr: 1e-3);
        var (images, labels) = (randn(4, 3, 8, 6), randint(5, [4]));
        double first = 0,
            last = 0;
        long before = 0;
        for (var step = 0; step < 200; step++)
        {
            using (NewDisposeScope())
            {
                optimizer.zero_grad();
                var loss = functional.cross_entropy(network.call(images), labels);
                loss.backward();
                utils.clip_grad_norm_(network.parameters(), 1);
                optimizer.step();
                last = loss.ToDouble();
            }
            // The first step makes what stays: the optimizer's state.
            if (step == 0)
                (before, first) = (Settled(), last);
        }
        Assert.That(Settled(), Is.EqualTo(before));
        Assert.That(last, Is.LessThan(first), "and it should have learnt something");
    }

    [Test]
    public void Modules_optimizers_and_scopes_give_everything_back()
    {
        var before = Settled();
        using (NewDisposeScope())
        {
            using var network = Sequential(Linear(3, 4), BatchNorm2d(4), Linear(4, 2));
            using var optimizer = optim.SGD(network.parameters(), 0.1, momentum: 0.9);
            network.parameters().Aggregate(zeros(1), (sum, parameter) => sum + parameter.sum()).backward();
            optimizer.step();
            network.@double();
        }
        Assert.That(Settled(), Is.EqualTo(before));
    }

    [Test]
    public void Tensors_left_to_the_garbage_collector_are_freed_by_it()
    {
        var before = Settled();
        for (var i = 0; i < 20; i++)
        {
            LoseSome();
            GC.Collect();
        }
        Assert.That(Settled(), Is.EqualTo(before));
    }

    // Not inlined, so that nothing on this frame keeps the tensors alive. The temporaries are garbage while native code
    // still reads them: the calls themselves must keep them.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LoseSome()
    {
        for (var i = 0; i < 200; i++)
            cat([randn(50).relu(), randn(50).exp().neg()]).sum();
    }

    [Test]
    public void Finalizers_may_run_while_other_threads_compute()
    {
        using var stop = new CancellationTokenSource();
        var collector = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                GC.Collect(0);
        });
        Parallel.For(
            0,
            4,
            _ =>
            {
                for (var i = 0; i < 300; i++)
                    Assert.That((ones(64) + ones(64).mul(2)).sum().ToDouble(), Is.EqualTo(192));
            }
        );
        stop.Cancel();
        collector.Wait();
    }

    [Test]
    public void Scopes_dispose_what_was_not_moved()
    {
        Tensor inner,
            moved,
            detached,
            outerResult;
        using (NewDisposeScope())
        {
            using (var scope = NewDisposeScope())
            {
                inner = ones(1);
                moved = ones(1).MoveToOuterDisposeScope();
                detached = ones(1).DetachFromDisposeScope();
                Assert.That(scope.DisposablesCount, Is.EqualTo(1));
            }
            outerResult = WrappedTensorDisposeScope(() => ones(1) + ones(1));
            Assert.That((inner.IsInvalid, moved.IsInvalid), Is.EqualTo((true, false)));
        }
        Assert.That((moved.IsInvalid, outerResult.IsInvalid, detached.IsInvalid), Is.EqualTo((true, true, false)));
        detached.Dispose();
    }

    [Test]
    public void An_outer_scope_may_end_first()
    {
        var outer = NewDisposeScope();
        var inner = NewDisposeScope();
        var kept = ones(1);
        outer.Dispose();
        Assert.That(kept.IsInvalid, Is.False);
        inner.Dispose();
        Assert.That((kept.IsInvalid, CurrentDisposeScope), Is.EqualTo((true, (DisposeScope?)null)));
    }

    private static long Settled()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return Engine.LiveTensors;
    }
}
