namespace CnnSpec.Data;

/// <summary>
/// Lists folders. Links are followed; a folder that a link leads back to is visited once. What is hidden, as its name says
/// by a leading point, is passed over. Everything is in ordinal order of its path.
/// </summary>
public static class FolderWalk
{
    /// <summary>The folders directly in one.</summary>
    /// <exception cref="InputError">It is missing.</exception>
    /// <exception cref="EnvironmentError">It may not be read.</exception>
    public static string[] Folders(string folder) => Visible(folder, Directory.EnumerateDirectories);

    /// <summary>The files directly in a folder.</summary>
    /// <inheritdoc cref="Folders"/>
    public static string[] Files(string folder) => Visible(folder, Directory.EnumerateFiles);

    /// <summary>The files in a folder and in all folders below it.</summary>
    /// <inheritdoc cref="Folders"/>
    public static string[] AllFiles(string folder)
    {
        var files = new List<string>();
        var visited = new HashSet<string>();
        var waiting = new Stack<(string Path, string Real)>([(folder, Real(folder))]);
        while (waiting.TryPop(out var next))
        {
            if (!visited.Add(next.Real))
                continue;
            files.AddRange(Files(next.Path));
            foreach (string child in Folders(next.Path))
            {
                bool isLink = new DirectoryInfo(child).LinkTarget is not null;
                string real = isLink ? Real(child) : Path.Join(next.Real, Path.GetFileName(child));
                // A folder above this one is being visited already.
                if (!IsWithin(next.Real, real))
                    waiting.Push((child, real));
            }
        }
        files.Sort(StringComparer.Ordinal);
        return [.. files];
    }

    /// <summary>Whether a path is a folder itself or lies in it. Both are as <see cref="Real"/> gives them.</summary>
    public static bool IsWithin(string path, string folder)
    {
        // photos-new is not in photos; the root ends with its separator already.
        string prefix = Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar;
        return path == folder || path.StartsWith(prefix, StringComparison.Ordinal);
    }

    private static string[] Visible(string folder, Func<string, IEnumerable<string>> list)
    {
        try
        {
            return
            [
                .. list(folder).Where(path => !Path.GetFileName(path).StartsWith('.')).Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(folder, e);
        }
    }

    /// <summary>The path with every link in it followed: equal where folders are the same.</summary>
    public static string Real(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent)
            return full;
        string here = Path.Join(Real(parent), Path.GetFileName(full));
        try
        {
            return Directory.ResolveLinkTarget(here, returnFinalTarget: true) is { } target
                ? Real(target.FullName)
                : here;
        }
        catch (IOException)
        {
            // Links in a circle lead nowhere; listing the folder will say so.
            return here;
        }
    }
}
