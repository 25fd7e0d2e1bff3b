namespace CnnSpec.Data;

/// <summary>A data set in the cache.</summary>
/// <param name="Folder">Where it is; null for one that is generated and needs no place.</param>
/// <param name="Source">Where its files came from.</param>
/// <param name="Note">What users of it must know; null when there is nothing.</param>
/// <param name="WasThere">Whether it had been prepared before, and is intact.</param>
public sealed record InstalledData(string Name, string? Folder, string Source, string? Note, bool WasThere);

/// <summary>
/// Fetches, verifies and prepares data sets. A data set appears in the cache in one rename, complete or not at all;
/// what a crash leaves behind is removed by the next attempt.
/// </summary>
public sealed class DataInstaller
{
    private readonly DataCache _cache;
    private readonly IReadOnlyList<Installable> _recipes;
    private readonly Func<HttpMessageHandler> _handler;

    /// <param name="cache">Null for <see cref="DataCache.Default"/>.</param>
    public DataInstaller(DataCache? cache = null)
        : this(cache ?? DataCache.Default, Installable.All, HttpDownload.SystemHandler) { }

    internal DataInstaller(DataCache cache, IReadOnlyList<Installable> recipes, Func<HttpMessageHandler> handler) =>
        (_cache, _recipes, _handler) = (cache, recipes, handler);

    /// <summary>Makes sure that a data set is prepared and intact.</summary>
    /// <exception cref="InputError">There is no data set of that name.</exception>
    /// <exception cref="EnvironmentError">No source delivered, the disk is full or the cache cannot be
    /// written.</exception>
    public async Task<InstalledData> Get(
        string name,
        IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        if (name == DataCatalog.Shapes.Name)
            return new InstalledData(name, null, "generated when it is used", null, true);
        var recipe = _recipes.FirstOrDefault(r => r.Info.Name == name) ?? throw DataCatalog.Unknown(name);
        try
        {
            Directory.CreateDirectory(_cache.Root);
            using var held = await CacheLock.Take(_cache, name, progress, cancellation);
            var installed = await Task.Run(() => Existing(name, progress, cancellation), cancellation);
            installed ??= await Install(recipe, progress, cancellation);
            progress?.Report(new DownloadProgress(DownloadStage.Done, name));
            return installed;
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Writing(_cache.Root, recipe.BytesNeeded, e);
        }
    }

    private InstalledData? Existing(string name, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (!_cache.Holds(name))
            return null;
        progress?.Report(new DownloadProgress(DownloadStage.Verifying, name));
        try
        {
            var manifest = Manifest.Read(_cache.Folder(name), name);
            manifest.Verify(_cache.Folder(name), cancellation);
            return new InstalledData(name, _cache.Folder(name), manifest.Source, manifest.Note, true);
        }
        catch (InputError)
        {
            // Damaged: it is prepared anew, and replaced when that has worked.
            return null;
        }
    }

    private async Task<InstalledData> Install(
        Installable recipe,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        string name = recipe.Info.Name;
        string prefix = $".partial-{name}-";
        foreach (string leftover in Directory.GetDirectories(_cache.Root, prefix + "*"))
            Directory.Delete(leftover, recursive: true);
        if (new DriveInfo(_cache.Root).AvailableFreeSpace < recipe.BytesNeeded)
            throw DiskFailure.NoSpace(_cache.Root, recipe.BytesNeeded);
        string work = Path.Combine(_cache.Root, prefix + Guid.NewGuid().ToString("N"));
        try
        {
            var (prepared, manifest) = await FromAnyOrigin(recipe, work, progress, cancellation);
            MoveIntoPlace(prepared, _cache.Folder(name), Path.Combine(work, "replaced"));
            return new InstalledData(name, _cache.Folder(name), manifest.Source, manifest.Note, false);
        }
        finally
        {
            if (Directory.Exists(work))
                Directory.Delete(work, recursive: true);
        }
    }

    private async Task<(string Prepared, Manifest Manifest)> FromAnyOrigin(
        Installable recipe,
        string work,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        using var handler = _handler();
        using var http = new HttpDownload(handler);
        var failures = new List<string>();
        string? help = null;
        foreach (var (i, origin) in recipe.Origins.Index())
        {
            var folders = new OriginFolders(Path.Combine(work, $"fetched-{i}"), Path.Combine(work, $"prepared-{i}"));
            Directory.CreateDirectory(folders.Fetched);
            Directory.CreateDirectory(folders.Prepared);
            try
            {
                await origin.Fetch(folders.Fetched, http, progress, cancellation);
                progress?.Report(new DownloadProgress(DownloadStage.Preparing, recipe.Info.Name));
                var manifest = await Task.Run(() => Prepare(recipe, origin, folders, cancellation), cancellation);
                return (folders.Prepared, manifest);
            }
            catch (Exception e) when (e is SourceUnavailableException or UserError)
            {
                failures.Add($"{origin.Description}: {e.Message}");
                help = (e as UserError)?.Help;
                progress?.Report(new DownloadProgress(DownloadStage.SourceFailed, failures[^1]));
                Directory.Delete(folders.Fetched, recursive: true);
                Directory.Delete(folders.Prepared, recursive: true);
            }
        }
        throw new EnvironmentError(
            $"{recipe.Info.Name} could not be fetched; tried {string.Join("; then ", failures)}",
            help ?? "check the network, and that npm is installed"
        );
    }

    private static Manifest Prepare(
        Installable recipe,
        Origin origin,
        OriginFolders folders,
        CancellationToken cancellation
    )
    {
        origin.Prepare(folders, cancellation);
        foreach (var (name, sha256) in origin.Kept)
            Checksum.Sha256(sha256).Verify(Path.Combine(folders.Prepared, name));
        // Loading is the last check: what cannot be loaded never enters the cache.
        var (train, _) = recipe.Load(folders.Prepared, recipe.Info);
        var statistics = ChannelStatistics.Of(train, cancellation: cancellation);
        var files = Directory
            .GetFiles(folders.Prepared)
            .Order(StringComparer.Ordinal)
            .Select(path =>
            {
                cancellation.ThrowIfCancellationRequested();
                FlushToDisk(path);
                return new ManifestFile(Path.GetFileName(path), new FileInfo(path).Length, Checksum.Sha256Of(path));
            })
            .ToArray();
        var manifest = new Manifest(recipe.Info.Name, origin.Description, origin.Note, files, statistics);
        string manifestPath = Path.Combine(folders.Prepared, Manifest.FileName);
        File.WriteAllBytes(manifestPath, manifest.ToJson());
        FlushToDisk(manifestPath);
        return manifest;
    }

    /// <summary>Before the rename, so that a power cut cannot leave a complete name on incomplete data.</summary>
    private static void FlushToDisk(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    private static void MoveIntoPlace(string prepared, string target, string replaced)
    {
        if (Directory.Exists(target))
            Directory.Move(target, replaced);
        Directory.Move(prepared, target);
    }
}
