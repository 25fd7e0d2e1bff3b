using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>However a network's gradients are worked out, a recipe trains it to the same weights.</summary>
public class GradientPassTests
{
    private const string Body =
        "conv(16, kernel=3, padding=1, bias=false); batch_norm; relu; "
        + "add { { conv(16, kernel=3, padding=1, bias=false); batch_norm }; identity }; relu; max_pool(2); flatten; linear(10)";

    /// <summary>Three epochs of 128 images.</summary>
    private static (List<BatchFigures> Figures, float[][] Weights) Train(string recipe, Execution execution)
    {
        using var scope = NewDisposeScope();
        EngineSetup.Initialise();
        random.manual_seed(5);
        var plan = Runs.Plan(Body, recipe, "unused");
        var data = TrainingData.Of(plan);
        using var network = new Network(plan.Program, execution);
        using var optimizer = new RecipeOptimizer(plan.Recipe, network);
        var pass = new GradientPass(network, new Objective(plan.Program, plan.Recipe), optimizer);
        network.train();
        var figures = new List<BatchFigures>();
        for (int epoch = 0; epoch < 3; epoch++)
            foreach (var part in data.Steps.Epoch(epoch, 0))
            {
                using var batch = part.Batch;
                using var inner = NewDisposeScope();
                if (part.Begins)
                    pass.Begin();
                random.manual_seed(100 * epoch + batch.Ordinal);
                figures.Add(pass.Run(BatchTensors.Of(batch, CPU), (double)batch.Count / part.ImagesOfStep));
                if (part.Ends)
                    optimizer.Step(0.01);
            }
        return (figures, [.. network.NamedWeights().Select(w => w.Tensor.to(float32).data<float>().ToArray())]);
    }

    [TestCase("batch = 30; optimizer = sgd(lr=0.1, momentum=0.9, weight_decay=1e-3)")]
    [TestCase("batch = 32; optimizer = sgd(lr=0.1, momentum=0.9, nesterov=true); clip_norm = 0.5")]
    [TestCase("batch = 32; optimizer = adam(lr=0.1, weight_decay=1e-2); augment = mixup(alpha=0.4)")]
    [TestCase("batch = 32; optimizer = adamw(lr=0.1, weight_decay=1e-2); decay = \"weights\"")]
    [TestCase("batch = 32; optimizer = rmsprop(lr=0.1); clip_value = 0.1")]
    [TestCase("batch = 32; optimizer = sgd(lr=0.1); accumulate = 2")]
    public void A_recipe_gives_the_weights_of_plain_execution(string recipe)
    {
        var plain = Train(recipe, Execution.Plain);
        var native = Train(recipe, new Execution());
        foreach (var (mine, theirs) in native.Figures.Zip(plain.Figures))
            Assert.That(mine.Loss, Is.EqualTo(theirs.Loss).Within(2e-3));
        foreach (var (mine, theirs) in native.Weights.Zip(plain.Weights))
            Assert.That(mine, Is.EqualTo(theirs).Within(5e-3));
    }
}
