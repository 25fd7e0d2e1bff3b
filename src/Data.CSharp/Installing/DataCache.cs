namespace CnnSpec.Data;

/// <summary>The folder that prepared data sets live in, one sub-folder each.</summary>
public sealed record DataCache(string Root)
{
    /// <summary>
    /// <c>$CNNSPEC_DATA</c>, else <c>$XDG_CACHE_HOME/cnnspec/data</c>, else <c>~/.cache/cnnspec/data</c>.
    /// </summary>
    public static DataCache Default => new(DefaultRoot());

    /// <summary>What can be made again: <c>$XDG_CACHE_HOME/cnnspec</c>, else <c>~/.cache/cnnspec</c>.</summary>
    internal static string UserCache =>
        Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
                ? xdg
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
            "cnnspec"
        );

    /// <summary>Where a data set is, or will be.</summary>
    public string Folder(string name) => Path.Combine(Root, name);

    /// <summary>Whether a data set has been prepared there.</summary>
    public bool Holds(string name) => File.Exists(Path.Combine(Folder(name), Manifest.FileName));

    private static string DefaultRoot()
    {
        if (Environment.GetEnvironmentVariable("CNNSPEC_DATA") is { Length: > 0 } chosen)
            return Path.GetFullPath(chosen);
        return Path.Combine(UserCache, "data");
    }
}
