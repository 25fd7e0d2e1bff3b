using System.Security.Cryptography;
using System.Text;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

/// <summary>All that a run is made from.</summary>
/// <param name="Limit">Train on so many images only, drawn by the seed from those that are not held out; null for all.</param>
/// <param name="Folder">The run folder; made where it is missing.</param>
/// <param name="Spec">The spec's path and text, kept in the run folder.</param>
public sealed record TrainingPlan(
    Program Program,
    Recipe Recipe,
    DataSet Data,
    string Folder,
    (string Path, string Text) Spec,
    int? Limit = null
)
{
    /// <summary>Go on with the run in the folder from this checkpoint; null begins a new one.</summary>
    public CheckpointChoice? Resume { get; init; }

    /// <summary>Weights to begin from instead of random ones; null for those.</summary>
    public FirstWeights? From { get; init; }

    /// <summary>Between checkpoints in the midst of an epoch.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What activations are kept in.</summary>
    public Precision Precision { get; init; }

    /// <summary>Where the network is trained.</summary>
    public Device Device { get; init; } = TorchLibrary.Processor;

    internal Execution Execution => new(Precision) { Device = Device };

    /// <summary>Threads of one operation; null for all processors.</summary>
    public int? Threads { get; init; }

    /// <summary>What the run folder says of a run that begins now, on this machine.</summary>
    /// <param name="scaling">How pixels are scaled; null where they stay from 0 to 1.</param>
    internal RunDescription Describe(ChannelStatistics? scaling) =>
        new(
            Program,
            Recipe,
            [.. Data.Train.ClassNames],
            scaling,
            Data.Fingerprint,
            [.. Data.LeftOut],
            Limit,
            EngineSetup.Threads,
            Precision,
            Device.ToString(),
            EngineSetup.Description,
            typeof(RunDescription).Assembly.GetName().Version!.ToString(3),
            Spec.Path,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Spec.Text)))
        );

    /// <summary>Some images as training sees them; a PNG holds one or three channels, others are not shown.</summary>
    internal byte[]? Samples() =>
        Data.Train.Shape.Channels is 1 or 3 ? new ContactSheet(Data, Recipe, Recipe.Seed, count: 16).ToPng() : null;
}

/// <summary>Weights that training begins from.</summary>
/// <param name="Path">A file of weights, or the folder of a run.</param>
/// <param name="Partial">Take what matches and let the rest begin anew, as for a head with other classes.</param>
public sealed record FirstWeights(string Path, bool Partial);
