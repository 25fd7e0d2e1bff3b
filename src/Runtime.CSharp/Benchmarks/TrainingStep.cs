using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Training;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Benchmarks;

/// <summary>One step of training again and again, on the same images.</summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly RecipeOptimizer _optimizer;
    private readonly GradientPass _gradients;
    private readonly BatchTensors _batch;
    private readonly double _learningRate;

    /// <param name="recipe">Its optimizer and its loss are used.</param>
    public TrainingStep(Network network, Recipe recipe, Tensor images, Tensor labels)
    {
        _optimizer = new RecipeOptimizer(recipe, network);
        _gradients = new GradientPass(network, new Objective(network.Program, recipe), _optimizer);
        _batch = new BatchTensors(images, labels);
        _learningRate = RecipeModule.learningRate(recipe);
        network.train();
    }

    /// <summary>Forward pass, loss, backward pass and optimizer step.</summary>
    public void Take()
    {
        _gradients.Begin();
        _gradients.Run(_batch);
        _optimizer.Step(_learningRate);
    }

    public void Dispose() => _optimizer.Dispose();
}
