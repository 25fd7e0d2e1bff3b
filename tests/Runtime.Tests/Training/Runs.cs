using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Tests.Data;
using CnnSpec.Runtime.Tests.Networks;
using CnnSpec.Runtime.Training;
using TorchSharp;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>Small trainings on drawn shapes, and what came of them.</summary>
internal static class Runs
{
    /// <summary>Trains a network of this body by this recipe in a folder of its own.</summary>
    /// <returns>Values of a weight file by name, and everything that the run told.</returns>
    public static (Dictionary<string, float[]> Weights, List<TrainingEvent> Told) Train(
        string body,
        string recipe,
        string file = RunFolder.Last
    )
    {
        using var folder = new TestFolder();
        var told = new List<TrainingEvent>();
        Execute(Plan(body, recipe, Path.Combine(folder.Path, "run")), told.Add);
        return (Weights(Path.Combine(folder.Path, "run", file)), told);
    }

    public static TrainingPlan Plan(string body, string recipe, string folder)
    {
        string text = $$"""
            network N { input 1 x 10 x 14; {{body}} }
            train { data = shapes(train_images=150, test_images=20, validation=22); normalize = dataset; {{recipe}} }
            """;
        var compiled = Specs.Compiled(text);
        Assert.That(compiled.HasErrors, Is.False, () => Text.Render.all(Text.Render.plain, compiled.Diagnostics));
        var network = compiled.Networks.Single();
        var made = network.Recipes.Single();
        var data = new DataCatalog().Open("shapes", new ImageShape(1, 10, 14), (ulong)made.Seed, (150, 20));
        return new TrainingPlan(network.Program, made, data, folder, ("n.cnn", text));
    }

    public static Evaluation? Execute(TrainingPlan plan, Action<TrainingEvent> tell) =>
        new TrainingRun(plan, tell).Execute(CancellationToken.None);

    public static Dictionary<string, float[]> Weights(string path) =>
        Safetensors
            .Read(path)
            .Tensors.Where(entry => entry.Value.Type == "F32")
            .ToDictionary(
                entry => entry.Key,
                entry =>
                    System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(entry.Value.Bytes.Span).ToArray()
            );

    /// <summary>The largest difference of any weight.</summary>
    public static double Distance(Dictionary<string, float[]> a, Dictionary<string, float[]> b) =>
        a.Max(entry => entry.Value.Zip(b[entry.Key], (x, y) => Math.Abs((double)x - y)).Max());
}
