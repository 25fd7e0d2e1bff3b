using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Checkpoints.Import;
using CnnSpec.Runtime.Networks;

namespace CnnSpec.Runtime.Runs;

/// <summary>
/// The folder of a run: <c>network.json</c> (see <see cref="RunDescription"/>), the spec as it was, <c>metrics.jsonl</c>,
/// <c>checkpoints/</c> to resume from, and the weights alone in <c>last.safetensors</c> (after the last whole epoch) and
/// <c>best.safetensors</c>, the moving average in <c>last-average.safetensors</c>; at the end <c>test.json</c>.
/// </summary>
public sealed class RunFolder
{
    public const string Last = "last.safetensors";
    public const string Best = WeightSource.BestOfRun;

    /// <summary>The moving average beside <see cref="Last"/>, where the recipe asks for one.</summary>
    public const string LastAverage = "last-average.safetensors";

    private static readonly JsonSerializerOptions Snake = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly RunDescription _description;

    private RunFolder(string path, RunDescription description)
    {
        Path = path;
        _description = description;
        Metrics = new MetricsFile(path);
    }

    public string Path { get; }
    public Program Program => _description.Program;
    public Recipe Recipe => _description.Recipe;

    /// <summary>What the network was trained on.</summary>
    public DataSource Data => Recipe.Data;
    public IReadOnlyList<string> ClassNames => _description.ClassNames;

    /// <summary>How pixels were scaled; null where they stayed from 0 to 1.</summary>
    public ChannelStatistics? Scaling => _description.Scaling;
    public long Seed => Recipe.Seed;

    /// <summary>What the run's folder of images may lack: what it lacked when the run began.</summary>
    public FolderOptions FolderOptions => new() { AllowEmptyClasses = true, LeftOut = _description.LeftOut };

    /// <summary>Only so many training images were used; null for all.</summary>
    public int? Limit => _description.Limit;

    /// <summary>What activations were kept in; evaluation does the same, so that it finds the same accuracy.</summary>
    public Precision Precision => _description.Precision;

    /// <summary>Threads of one operation when the run began.</summary>
    public int Threads => _description.Threads;

    /// <summary>The path and text of the spec that the run is of.</summary>
    /// <exception cref="InputError">The text is not what it was when the run began.</exception>
    public (string Path, string Text) Spec
    {
        get
        {
            string file = InFolder("spec" + System.IO.Path.GetExtension(_description.SpecPath));
            byte[] text = AtomicFile.Read(file);
            return Convert.ToHexStringLower(SHA256.HashData(text)) == _description.SpecSha256
                ? (_description.SpecPath, Encoding.UTF8.GetString(text))
                : throw new InputError(
                    $"{file} is not the spec that the run began with",
                    "take it from a backup; the network itself is in network.json"
                );
        }
    }

    /// <summary>The epochs so far.</summary>
    public IReadOnlyList<EpochMetrics> Epochs => Metrics.Read();

    internal MetricsFile Metrics { get; }

    /// <summary>What made the run: versions, seed, hashes.</summary>
    internal IEnumerable<string> Provenance =>
        [
            $"cnnspec {_description.Version}",
            _description.Engine,
            $"{_description.Threads} threads",
            $"seed {Recipe.Seed}",
            $"spec {_description.SpecSha256[..12]}",
            $"data {_description.DataFingerprint[..Math.Min(12, _description.DataFingerprint.Length)]}",
        ];

    /// <exception cref="InputError">The folder holds another run, or anything else.</exception>
    internal static void RefuseAnother(string folder)
    {
        if (File.Exists(System.IO.Path.Combine(folder, RunDescription.FileName)))
            throw new InputError(
                $"{folder} already holds a run",
                $"go on with it ('cnnspec train --resume {folder}'), remove it, or choose another folder with --out"
            );
        // A run that was killed before it was one leaves checkpoints.
        if (
            Directory.Exists(folder)
            && Directory
                .EnumerateFileSystemEntries(folder)
                .Any(path => System.IO.Path.GetFileName(path) != CheckpointFolder.Name)
        )
            throw new InputError(
                $"{folder} holds other files, among which those of a run would be lost",
                "choose a new or an empty folder with --out"
            );
    }

    /// <summary>Writes into a new run's folder what the run is of.</summary>
    /// <exception cref="EnvironmentError">The folder cannot be written.</exception>
    internal static RunFolder Create(string path, RunDescription description, string specText)
    {
        var folder = new RunFolder(path, description);
        folder.WriteText("spec" + System.IO.Path.GetExtension(description.SpecPath), specText);
        // Last: where it stands, all the rest does.
        description.Write(path);
        return folder;
    }

    /// <summary>Whether a folder is that of a run.</summary>
    public static bool IsAt(string path) => File.Exists(System.IO.Path.Combine(path, RunDescription.FileName));

    /// <exception cref="InputError">It is no run folder, or its description is damaged.</exception>
    public static RunFolder Open(string path) => new(path, RunDescription.Read(path));

    /// <summary>Opens a run to go on with it, by a recipe that may have more epochs.</summary>
    /// <exception cref="InputError">The data are not those that the run began with.</exception>
    internal static RunFolder Reopen(string path, Recipe recipe, DataSet data)
    {
        var then = RunDescription.Read(path);
        new RunFolder(path, then).RequireSame(data);
        var now = then with { Recipe = recipe };
        if (recipe.Epochs != then.Recipe.Epochs || recipe.Data.Path != then.Recipe.Data.Path)
            now.Write(path);
        return new RunFolder(path, now);
    }

    /// <summary>Whether these are the images that the run began with: those that train, validate and test.</summary>
    public bool BeganWith(DataSet data) => _description.DataFingerprint == data.Fingerprint;

    /// <exception cref="InputError">The data are not those that the run began with.</exception>
    internal void RequireSame(DataSet data)
    {
        if (!BeganWith(data))
            throw new InputError(
                $"the images of {data.Name} are not those that {Path} was trained on: there are now {data.Train.Count:N0} to "
                    + $"train and {data.Test.Count:N0} to test, of {data.Train.ClassNames.Count:N0} classes",
                "put the images back as they were, or train anew"
            );
    }

    /// <summary>What differs between the machine that began the run and this one, and may show in the last bits.</summary>
    internal IEnumerable<string> Differences(string device)
    {
        if (_description.Device != device)
            yield return $"the run began on {_description.Device} and goes on on {device}";
        if (_description.Threads != EngineSetup.Threads)
            yield return $"the run began with {_description.Threads} threads and goes on with {EngineSetup.Threads}";
        if (_description.Engine != EngineSetup.Description)
            yield return $"the run began with {_description.Engine} and goes on with {EngineSetup.Description}";
    }

    /// <summary>Saves the network's weights, whole or not at all.</summary>
    public void Save(string name, Network network, int epochs) =>
        WeightFile.Write(InFolder(name), network, new() { ["epochs"] = epochs.ToString() });

    /// <exception cref="InputError">The file is missing, damaged or of another network.</exception>
    public void Load(string name, Network network) => WeightFile.LoadOwn(InFolder(name), network);

    public void SaveTest(Evaluation test) => WriteText("test.json", JsonSerializer.Serialize(test, Snake));

    private string InFolder(string name) => System.IO.Path.Combine(Path, name);

    private void WriteText(string name, string text) =>
        AtomicFile.Write(InFolder(name), stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
