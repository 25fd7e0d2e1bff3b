using System.Runtime.InteropServices;
using CnnSpec.Ir;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>Whoever trains on a GPU that takes whole steps gets the weights and figures that launching each operation gives. A
/// stand-in for the GPU keeps the captured work and does it when asked to, with what is then in its tensors.</summary>
public class GradientPassTests
{
    private const string Body = "conv(4, kernel=3); batch_norm; relu; dropout(0.3); flatten; linear(10)";

    private sealed class StandIn : IDisposable
    {
        public int Captured { get; private set; }
        public int Replayed { get; private set; }
        public bool Released { get; private set; }

        public (Action Replay, IDisposable Owned) Capture(Action work)
        {
            Captured++;
            return (
                () =>
                {
                    Replayed++;
                    work();
                },
                this
            );
        }

        public void Dispose() => Released = true;
    }

    /// <summary>Three epochs of 128 images.</summary>
    private static (List<BatchFigures> Figures, float[][] Weights, string? NotCaptured) Train(
        string recipe,
        Capture? capture,
        Device? device = null
    )
    {
        using var scope = NewDisposeScope();
        EngineSetup.Initialise();
        random.manual_seed(5);
        var plan = Runs.Plan(Body, recipe, "unused");
        var data = TrainingData.Of(plan);
        using var network = new Network(plan.Program, new Execution { Device = device ?? CPU });
        using var optimizer = new RecipeOptimizer(plan.Recipe, network);
        using var pass = new GradientPass(network, new Objective(plan.Program, plan.Recipe), optimizer, capture);
        network.train();
        var figures = new List<BatchFigures>();
        int accumulate = plan.Recipe.Accumulate;
        for (int epoch = 0; epoch < 3; epoch++)
            foreach (var batch in data.Batches.Epoch(epoch))
            {
                using var lent = batch;
                using var inner = NewDisposeScope();
                if (batch.Ordinal % accumulate == 0)
                    pass.Begin();
                random.manual_seed(100 * epoch + batch.Ordinal);
                figures.Add(pass.Run(BatchTensors.Of(batch, device ?? CPU), data.ShareOfStep(batch, plan.Recipe)));
                if ((batch.Ordinal + 1) % accumulate == 0 || batch.Ordinal + 1 == data.Batches.BatchCount)
                    optimizer.Step(0.1);
            }
        float[][] weights = [.. network.NamedWeights().Select(w => w.Tensor.cpu().to(float32).data<float>().ToArray())];
        return (figures, weights, pass.NotCaptured);
    }

    [TestCase(
        "batch = 30; optimizer = sgd(lr=0.1, momentum=0.9, weight_decay=1e-3)",
        9,
        TestName = "Of_batches_with_a_short_last_one"
    )]
    [TestCase("batch = 32; optimizer = adam(lr=0.1); augment = mixup(alpha=0.4)", 9, TestName = "Of_mixed_images")]
    [TestCase("batch = 32; optimizer = sgd(lr=0.1); accumulate = 2", 9, TestName = "Of_several_batches_a_step")]
    public void Captured_work_gives_the_numbers_of_the_operations_by_themselves(string recipe, int replays)
    {
        using var device = new StandIn();
        var whole = Train(recipe, device.Capture);
        var single = Train(recipe, capture: null);
        Assert.That(whole.Figures, Is.EqualTo(single.Figures));
        Assert.That(whole.Weights, Is.EqualTo(single.Weights));
        Assert.That((device.Captured, device.Replayed, device.Released), Is.EqualTo((1, replays, true)));
    }

    [Test]
    public void Mixed_images_come_with_the_labels_of_their_partners()
    {
        using var scope = NewDisposeScope();
        EngineSetup.Initialise();
        var plan = Runs.Plan("flatten; linear(10)", "batch = 16; augment = mixup(alpha=0.4)", "unused");
        using var batch = TrainingData.Of(plan).Batches.Epoch(0).First();
        var tensors = BatchTensors.Of(batch, CPU);
        Assert.That(tensors.Labels.data<long>().ToArray(), Is.EqualTo(batch.Labels[..16]));
        var (labels, share) = tensors.Mixed!.Value;
        Assert.That(
            labels.data<long>().ToArray(),
            Is.EqualTo(batch.Mixing!.Partner.Select(row => batch.Labels[row])).And.Not.EqualTo(batch.Labels[..16])
        );
        Assert.That(share.data<float>().ToArray(), Is.EqualTo(batch.Mixing.Weight));
    }

    [TestCase("batch = 30; optimizer = sgd(lr=0.1, momentum=0.9, weight_decay=1e-3)")]
    [TestCase("batch = 32; optimizer = adam(lr=0.01); augment = mixup(alpha=0.4); accumulate = 2")]
    public void A_gpu_gives_the_same_numbers_both_ways(string recipe)
    {
        EngineSetup.Initialise();
        if (!cuda.is_available() || EngineSetup.Capturing(new Execution { Device = CUDA }) is not { } capture)
            Assert.Ignore("needs a GPU, and an engine built for it");
        else
        {
            var whole = Train(recipe, capture, CUDA);
            var single = Train(recipe, capture: null, CUDA);
            Assert.That(whole.NotCaptured, Is.Null);
            foreach (var (a, b) in whole.Figures.Zip(single.Figures))
                Assert.That(a.Loss, Is.EqualTo(b.Loss).Within(1e-3));
            foreach (var (a, b) in whole.Weights.Zip(single.Weights))
                Assert.That(a, Is.EqualTo(b).Within(1e-3));
        }
    }

    [Test]
    public void A_gpu_that_refuses_costs_no_batch_and_is_not_asked_again()
    {
        int asked = 0;
        const string recipe = "batch = 32; optimizer = sgd(lr=0.1)";
        var refused = Train(
            recipe,
            _ =>
            {
                asked++;
                throw new ExternalException("operation not permitted when stream is capturing");
            }
        );
        var single = Train(recipe, capture: null);
        Assert.That(refused.Figures, Is.EqualTo(single.Figures));
        Assert.That(refused.Weights, Is.EqualTo(single.Weights));
        Assert.That((asked, refused.NotCaptured), Is.EqualTo((1, "operation not permitted when stream is capturing")));
    }

    [Test]
    public void Figures_count_the_right_guesses_and_tell_when_a_gradient_is_lost()
    {
        using var scope = NewDisposeScope();
        EngineSetup.Initialise();
        var plan = Runs.Plan("flatten; linear(10)", "batch = 4", "unused");
        using var network = new Network(plan.Program);
        using var optimizer = new RecipeOptimizer(plan.Recipe, network);
        using var pass = new GradientPass(network, new Objective(plan.Program, plan.Recipe), optimizer, capture: null);
        using (no_grad())
        {
            foreach (var parameter in network.parameters())
                parameter.zero_();
            network.parameters().Single(p => p.dim() == 1).narrow(0, 3, 1).fill_(1);
        }
        var images = rand(4, 1, 10, 14);
        var labels = tensor(new long[] { 3, 1, 3, 3 });

        pass.Begin();
        var figures = pass.Run(new BatchTensors(images, labels));
        Assert.That((figures.Correct, figures.AreFinite), Is.EqualTo((3, true)));
        Assert.That(
            figures.Loss,
            Is.EqualTo(nn.functional.cross_entropy(network.forward(images), labels).item<float>())
        );

        // The weights are zero, so the loss stays as it is; their gradients are sums of pixels.
        pass.Begin();
        var lost = pass.Run(new BatchTensors(images.mul(float.MaxValue), labels));
        Assert.That((lost.Loss, lost.AreFinite), Is.EqualTo((figures.Loss, false)));
    }
}
