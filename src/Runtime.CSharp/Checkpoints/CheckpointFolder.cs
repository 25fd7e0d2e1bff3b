using System.Globalization;
using CnnSpec.Data;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>Which checkpoint of a run to go on from.</summary>
public enum CheckpointChoice
{
    Latest,

    /// <summary>The one before the latest, for when that one is damaged.</summary>
    Previous,
}

/// <summary>All of a run at one moment: what a file of <c>checkpoints/</c> holds.</summary>
/// <param name="Path">Where it was read.</param>
/// <param name="Tensors">The network's weights, the optimizer's state, moving averages; the part before the first
/// <c>/</c> says which.</param>
/// <param name="Metadata">The rest: where in the data, sums, the best accuracy.</param>
internal sealed record Checkpoint(
    string Path,
    Dictionary<string, StoredTensor> Tensors,
    Dictionary<string, string> Metadata
);

/// <summary>
/// The folder <c>checkpoints/</c> of a run. Each save is one new file, <c>step-N.safetensors</c>, that appears whole or
/// not at all; the one before it is kept, and what is older goes only afterwards. So weights and optimizer state are
/// always of the same moment, and there is no moment without a whole checkpoint.
/// </summary>
internal sealed class CheckpointFolder(string run) : IDisposable
{
    /// <summary>What the folder is called in that of its run.</summary>
    public const string Name = "checkpoints";

    private const string Prefix = "step-";
    private const string Extension = ".safetensors";
    private readonly string _folder = Path.Combine(run, Name);
    private FileStream? _lock;

    /// <summary>Lets one process at a time train in the folder, and clears away what a killed one left half-written. The
    /// system takes the lock back if its holder dies.</summary>
    /// <exception cref="InputError">Another process trains in it.</exception>
    /// <exception cref="EnvironmentError">It cannot be made.</exception>
    public void Lock()
    {
        string path = Path.Combine(_folder, ".lock");
        try
        {
            Directory.CreateDirectory(_folder);
            _lock = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            AtomicFile.RemoveUnfinished(run);
            AtomicFile.RemoveUnfinished(_folder);
        }
        catch (IOException e) when (AtomicFile.IsHeldByAnother(e))
        {
            throw new InputError($"another process is training in {run}", "wait for it to end, or stop it", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentError($"the folder {run} cannot be written", "choose another one with --out", e);
        }
    }

    /// <summary>Removes all checkpoints: those of a run that was killed before it was one.</summary>
    public void Clear() => Steps().ForEach(step => TryDelete(PathOf(step)));

    /// <summary>Adds a checkpoint, then removes all but it and the one before it.</summary>
    /// <param name="step">Batches trained on so far; names the file and orders it among the others.</param>
    /// <exception cref="EnvironmentError">The disk is full; the checkpoints before remain.</exception>
    public void Write(
        long step,
        IReadOnlyCollection<KeyValuePair<string, StoredTensor>> tensors,
        IReadOnlyDictionary<string, string> metadata
    )
    {
        Safetensors.Write(PathOf(step), tensors, metadata);
        // Of a later step there is one only where training went on from an earlier checkpoint: it is trained again.
        foreach (
            long other in Steps().Where(other => other > step).Concat(Steps().Where(other => other < step).Skip(1))
        )
            TryDelete(PathOf(other));
    }

    /// <summary>Whether there is something to resume from.</summary>
    public bool HasAny => Steps().Count > 0;

    /// <summary>Null where nothing has been saved yet.</summary>
    /// <exception cref="InputError">It is damaged; the message names it, and the help offers the one before.</exception>
    public Checkpoint? Read(CheckpointChoice choice)
    {
        var steps = Steps();
        if (steps.Count == 0)
            return null;
        if (choice == CheckpointChoice.Latest)
        {
            try
            {
                return Read(steps[0]);
            }
            catch (InputError e)
            {
                throw new InputError(
                    e.Message,
                    steps.Count > 1 && IsWhole(steps[1])
                        ? $"the one before it, {PathOf(steps[1])}, is whole: run 'cnnspec train --resume {run} --checkpoint previous'"
                        : "there is no whole one before it: train again",
                    e
                );
            }
        }
        if (steps.Count == 1)
            throw new InputError($"{run} has only one checkpoint, {PathOf(steps[0])}", "leave out --checkpoint");
        return Read(steps[1]);
    }

    /// <summary>The steps that were saved, latest first.</summary>
    private List<long> Steps() =>
        Directory.Exists(_folder)
            ?
            [
                .. Directory
                    .EnumerateFiles(_folder, Prefix + "*" + Extension)
                    .Select(path => Path.GetFileNameWithoutExtension(path)[Prefix.Length..])
                    .Select(text =>
                        long.TryParse(text, CultureInfo.InvariantCulture, out long step) ? step : (long?)null
                    )
                    .OfType<long>()
                    .OrderDescending(),
            ]
            : [];

    private Checkpoint Read(long step)
    {
        var (tensors, metadata) = Safetensors.ReadOwn(PathOf(step));
        return new Checkpoint(PathOf(step), tensors, metadata);
    }

    private bool IsWhole(long step)
    {
        try
        {
            Safetensors.ReadOwn(PathOf(step));
            return true;
        }
        catch (InputError)
        {
            return false;
        }
    }

    private string PathOf(long step) =>
        Path.Combine(_folder, Prefix + step.ToString(CultureInfo.InvariantCulture) + Extension);

    /// <summary>One that stays costs space and nothing else.</summary>
    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
    }

    public void Dispose() => _lock?.Dispose();
}
