using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CnnSpec.Data;

namespace CnnSpec.Runtime.Runs;

/// <summary><c>metrics.jsonl</c>: a line an epoch.</summary>
internal sealed class MetricsFile(string run)
{
    private readonly string _path = Path.Combine(run, "metrics.jsonl");

    /// <summary>Adds a line and sees it to the disk, so that no checkpoint is ever ahead of it.</summary>
    /// <exception cref="EnvironmentError">The disk is full.</exception>
    public void Append(EpochMetrics m)
    {
        string line = JsonSerializer.Serialize(m);
        AtomicFile.Append(
            _path,
            stream =>
            {
                stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
                stream.Flush(flushToDisk: true);
            }
        );
    }

    /// <summary>The epochs so far.</summary>
    /// <exception cref="InputError">A line is damaged.</exception>
    public IReadOnlyList<EpochMetrics> Read()
    {
        if (!File.Exists(_path))
            return [];
        try
        {
            return [.. File.ReadAllLines(_path).Select(Parse)];
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw Damaged("its lines are not one for each epoch", e);
        }
    }

    /// <summary>Lines of other programs have other fields.</summary>
    private static readonly JsonSerializerOptions Strict = new() { RespectRequiredConstructorParameters = true };

    private static EpochMetrics Parse(string line, int index)
    {
        var metrics = JsonSerializer.Deserialize<EpochMetrics>(line, Strict) ?? throw new JsonException("no object");
        return metrics.Epoch == index + 1 ? metrics : throw new JsonException("another epoch");
    }

    private InputError Damaged(string how, Exception? inner = null) =>
        new($"{_path} is damaged: {how}", "take the folder from a backup, or train again", inner);

    /// <summary>Of the lines of the first epochs, in hexadecimal.</summary>
    public string Sha256(int epochs) =>
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', File.ReadLines(_path).Take(epochs))))
        );

    /// <summary>Compares with what a checkpoint says of them: one changed digit would stand in every report.</summary>
    /// <param name="sha256">Null where the checkpoint says nothing.</param>
    /// <exception cref="InputError">They are missing or others.</exception>
    public void Require(int epochs, string? sha256)
    {
        if (sha256 is not null && (!File.Exists(_path) || Sha256(epochs) != sha256))
            throw Damaged("it is not what the checkpoint was written with");
    }

    /// <summary>Drops all lines but those of the first epochs: what follows is trained, and written, again.</summary>
    /// <exception cref="InputError">One of these is missing or damaged.</exception>
    public void Keep(int epochs)
    {
        string[] lines = epochs > 0 && File.Exists(_path) ? File.ReadAllLines(_path) : [];
        if (lines.Length < epochs)
            throw Damaged($"it has {lines.Length} epochs, and the checkpoint {epochs}");
        for (int i = 0; i < epochs; i++)
            try
            {
                Parse(lines[i], i);
            }
            catch (JsonException e)
            {
                throw Damaged($"line {i + 1} is not that of epoch {i + 1}", e);
            }
        string kept = string.Concat(lines.Take(epochs).Select(line => line + "\n"));
        AtomicFile.Write(_path, stream => stream.Write(Encoding.UTF8.GetBytes(kept)));
    }
}
