using System.IO.Compression;
using CnnSpec.Data;

namespace CnnSpec.Runtime.Checkpoints.Import;

/// <summary>
/// Weights by name from any file that holds them: safetensors, what <c>torch.save</c> wrote of a state dict (.pt, .pth),
/// NumPy's .npz, a folder of .npy files, the folder of a run. What a file is, its contents tell. Nothing is executed.
/// </summary>
public static class WeightSource
{
    /// <summary>What the folder of a run calls its best weights.</summary>
    public const string BestOfRun = "best.safetensors";

    /// <summary>What <c>nn.DataParallel</c> puts before every name.</summary>
    private const string Parallel = "module.";

    /// <exception cref="InputError">The file is missing, damaged, or holds something else.</exception>
    public static Dictionary<string, StoredTensor> Read(string path)
    {
        var weights = Directory.Exists(path) ? OfFolder(path) : OfFile(path);
        return weights.Count > 0 && weights.Keys.All(name => name.StartsWith(Parallel, StringComparison.Ordinal))
            ? weights.ToDictionary(weight => weight.Key[Parallel.Length..], weight => weight.Value)
            : weights;
    }

    private static Dictionary<string, StoredTensor> OfFolder(string path)
    {
        string best = Path.Combine(path, BestOfRun);
        if (File.Exists(best))
            return Safetensors.Read(best).Tensors;
        string[] arrays = Directory.GetFiles(path, "*.npy");
        return arrays.Length > 0
            ? arrays.ToDictionary(
                file => Path.GetFileNameWithoutExtension(file),
                file => NpyFile.ReadTensor(file, AtomicFile.Read(file))
            )
            : throw new InputError(
                $"{path} holds no weights",
                "name a file of weights, the folder of a run, or a folder of .npy files"
            );
    }

    private static Dictionary<string, StoredTensor> OfFile(string path)
    {
        byte[] file = AtomicFile.Read(path);
        try
        {
            if (file.AsSpan().StartsWith("PK"u8))
            {
                using var archive = new ZipArchive(new MemoryStream(file), ZipArchiveMode.Read);
                var members = new ZipMembers(new MemoryBudget(file.Length));
                return archive.Entries.Any(entry => entry.FullName.EndsWith(".pkl"))
                    ? PyTorchFile.Read(archive, members)
                    : OfNumPy(path, archive, members);
            }
            if (PyTorchFile.IsOlder(file))
                return PyTorchFile.ReadOlder(file);
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or NotSupportedException)
        {
            string why = e is FormatException ? e.Message : "it is no whole zip archive";
            throw new InputError($"{path} cannot be read as weights: {why}", "write it again, or use safetensors", e);
        }
        return Safetensors.Read(path, file).Tensors;
    }

    /// <exception cref="FormatException">It has an array twice, as a damaged list of names may say.</exception>
    private static Dictionary<string, StoredTensor> OfNumPy(string path, ZipArchive archive, ZipMembers members)
    {
        var arrays = new Dictionary<string, StoredTensor>();
        foreach (var entry in archive.Entries.Where(entry => entry.FullName.EndsWith(".npy")))
            if (
                !arrays.TryAdd(
                    entry.FullName[..^".npy".Length],
                    NpyFile.ReadTensor($"{path}/{entry.FullName}", members.Read(entry))
                )
            )
                throw new FormatException($"it has {entry.FullName} twice");
        return arrays;
    }
}
