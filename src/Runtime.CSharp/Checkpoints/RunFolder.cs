using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CnnSpec.Ir;
using CnnSpec.Runtime.Data;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>
/// The folder of a run: <c>network.json</c> (the expanded IR, the recipe, classes, scaling, versions and hashes), the
/// spec as it was, <c>metrics.jsonl</c>, <c>last.safetensors</c>, <c>best.safetensors</c> and, at the end, <c>test.json</c>.
/// </summary>
public sealed class RunFolder
{
    public const string Last = "last.safetensors";
    public const string Best = "best.safetensors";
    private const string Description = "network.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly JsonSerializerOptions Snake = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private RunFolder(
        string path,
        Program program,
        DataSource data,
        string[] classes,
        ChannelStatistics? scaling,
        long seed
    )
    {
        Path = path;
        Program = program;
        Data = data;
        ClassNames = classes;
        Scaling = scaling;
        Seed = seed;
    }

    public string Path { get; }
    public Program Program { get; }

    /// <summary>What the network was trained on.</summary>
    public DataSource Data { get; }
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How pixels were scaled; null where they stayed from 0 to 1.</summary>
    public ChannelStatistics? Scaling { get; }
    public long Seed { get; }

    /// <exception cref="EnvironmentError">The folder cannot be written.</exception>
    public static RunFolder Create(TrainingPlan plan, ChannelStatistics? scaling)
    {
        try
        {
            Directory.CreateDirectory(plan.Folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentError($"the folder {plan.Folder} cannot be made", "choose another one with --out", e);
        }

        string[] classes = [.. plan.Data.Train.ClassNames];
        var folder = new RunFolder(plan.Folder, plan.Program, plan.Recipe.Data, classes, scaling, plan.Recipe.Seed);
        folder.WriteText("spec" + System.IO.Path.GetExtension(plan.Spec.Path), plan.Spec.Text);
        folder.WriteText("metrics.jsonl", "");
        folder.WriteText(Description, folder.Describe(plan).ToJsonString(Indented));
        return folder;
    }

    /// <exception cref="InputError">It is no run folder, or its description is damaged.</exception>
    public static RunFolder Open(string path)
    {
        string file = System.IO.Path.Combine(path, Description);
        if (!File.Exists(file))
            throw new InputError(
                $"{path} is not the folder of a run: it has no {Description}",
                "name a folder that 'cnnspec train' made, such as runs/lenet5"
            );
        try
        {
            var json = JsonNode.Parse(AtomicFile.Read(file))!.AsObject();
            return new RunFolder(
                path,
                IrJson.ofJson<Program>(json["program"]!),
                IrJson.ofJson<Recipe>(json["recipe"]!).Data,
                [.. json["class_names"]!.AsArray().Select(name => name!.GetValue<string>())],
                ReadScaling(json["scaling"]),
                json["recipe"]!["seed"]!.GetValue<long>()
            );
        }
        catch (Exception e)
            when (e is JsonException or InvalidOperationException or NullReferenceException or IrJson.MalformedIr)
        {
            throw new InputError($"{file} is damaged", "train again, or take the folder from a backup", e);
        }
    }

    /// <summary>Adds a line to <c>metrics.jsonl</c>.</summary>
    public void Append(EpochMetrics m)
    {
        var line = new JsonObject
        {
            ["epoch"] = m.Epoch,
            ["train_loss"] = m.TrainLoss,
            ["train_accuracy"] = m.TrainAccuracy,
            ["val_accuracy"] = m.ValidationAccuracy,
            ["lr"] = m.LearningRate,
            ["images_per_second"] = m.ImagesPerSecond,
            ["seconds"] = m.Seconds,
        };
        Guard("metrics.jsonl", file => File.AppendAllText(file, line.ToJsonString() + "\n"));
    }

    /// <summary>Saves the network's weights, whole or not at all.</summary>
    public void Save(string name, Network network, int epochs) =>
        WeightFile.Write(System.IO.Path.Combine(Path, name), network, new() { ["epochs"] = epochs.ToString() });

    /// <exception cref="InputError">The file is missing, damaged or of another network.</exception>
    public void Load(string name, Network network) => WeightFile.Load(System.IO.Path.Combine(Path, name), network);

    public void SaveTest(Evaluation test) => WriteText("test.json", JsonSerializer.Serialize(test, Snake));

    private JsonObject Describe(TrainingPlan plan) =>
        new()
        {
            ["format"] = 1,
            ["cnnspec"] = typeof(RunFolder).Assembly.GetName().Version!.ToString(3),
            ["engine"] = EngineSetup.Description,
            ["spec"] = plan.Spec.Path,
            ["spec_sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(plan.Spec.Text))),
            ["class_names"] = new JsonArray([.. ClassNames.Select(name => (JsonNode)name)]),
            ["scaling"] = Scaling is null
                ? null
                : new JsonObject
                {
                    ["mean"] = new JsonArray([.. Scaling.Mean.Select(value => (JsonNode)value)]),
                    ["deviation"] = new JsonArray([.. Scaling.Deviation.Select(value => (JsonNode)value)]),
                },
            ["recipe"] = IrJson.toJson(plan.Recipe),
            ["program"] = IrJson.toJson(plan.Program),
        };

    private static ChannelStatistics? ReadScaling(JsonNode? json) =>
        json is null ? null : new ChannelStatistics(Floats(json["mean"]!), Floats(json["deviation"]!));

    private static float[] Floats(JsonNode array) => [.. array.AsArray().Select(value => value!.GetValue<float>())];

    private void WriteText(string name, string text) =>
        AtomicFile.Write(System.IO.Path.Combine(Path, name), stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    private void Guard(string name, Action<string> write)
    {
        string file = System.IO.Path.Combine(Path, name);
        try
        {
            write(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentError($"{file} cannot be written", "free some space; the checkpoints are intact", e);
        }
    }
}
