using System.Text.Json;

namespace CnnSpec.Data;

/// <summary>
/// What a prepared folder holds, where it came from, and the numbers that took a pass over the images to find.
/// </summary>
/// <param name="Name">The data set.</param>
/// <param name="Source">Where the files came from.</param>
/// <param name="Note">What users of the data must know; null when there is nothing.</param>
/// <param name="Files">Every file but the manifest.</param>
/// <param name="Statistics">Over the training images.</param>
public sealed record Manifest(
    string Name,
    string Source,
    string? Note,
    IReadOnlyList<ManifestFile> Files,
    ChannelStatistics Statistics
)
{
    public const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <exception cref="InputError">The manifest is missing or damaged.</exception>
    public static Manifest Read(string folder, string name)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            return JsonSerializer.Deserialize<Manifest>(File.ReadAllBytes(path), Format)
                ?? throw Damaged(path, "it is empty", name);
        }
        catch (JsonException e)
        {
            throw Damaged(path, "it is not what was written", name, e);
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(path, e);
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Format);

    /// <summary>Looks at the length of every file: cheap, and finds what a full disk or a broken copy does.</summary>
    /// <exception cref="InputError">A file is missing or has another length.</exception>
    public void CheckLengths(string folder)
    {
        foreach (var file in Files)
        {
            var info = new FileInfo(Path.Combine(folder, file.Name));
            if (!info.Exists)
                throw Damaged(info.FullName, "it is missing", Name);
            if (info.Length != file.Bytes)
                throw Damaged(info.FullName, $"{file.Bytes} bytes expected, {info.Length} found", Name);
        }
    }

    /// <summary>Reads and hashes every file.</summary>
    /// <exception cref="InputError">A file is missing or has changed.</exception>
    public void Verify(string folder, CancellationToken cancellation = default)
    {
        CheckLengths(folder);
        foreach (var file in Files)
        {
            cancellation.ThrowIfCancellationRequested();
            string path = Path.Combine(folder, file.Name);
            string actual = Checksum.Sha256Of(path);
            if (actual != file.Sha256)
                throw Damaged(path, $"SHA-256 {file.Sha256} expected, {actual} found", Name);
        }
    }

    private static InputError Damaged(string path, string how, string name, Exception? inner = null) =>
        new($"{path}: damaged: {how}", $"run: cnnspec data get {name}", inner);
}

/// <param name="Name">Inside the folder.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record ManifestFile(string Name, long Bytes, string Sha256);
