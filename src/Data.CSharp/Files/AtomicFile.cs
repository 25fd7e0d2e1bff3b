namespace CnnSpec.Data;

/// <summary>Files that are there whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes to a temporary name in the same folder, flushes to the disk, and renames over <paramref name="path"/>. A file
    /// that is replaced keeps its permissions; where the path is a link, what it leads to is replaced. A pipe or a device is
    /// written to as it is.
    /// </summary>
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written; what was there before remains.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string temporary = "";
        try
        {
            if (FileKind.IsSpecial(path))
            {
                using var stream = new FileStream(path, FileMode.Open, FileAccess.Write);
                write(stream);
                return;
            }
            string target = new FileInfo(path).LinkTarget is null
                ? path
                : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            temporary = $"{target}.{Environment.ProcessId}.tmp";
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
            {
                if (!OperatingSystem.IsWindows() && File.Exists(target))
                    File.SetUnixFileMode(stream.SafeFileHandle, File.GetUnixFileMode(target));
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (temporary != "")
                Remove(temporary);
            throw new EnvironmentError(
                $"{path} cannot be written: {Reason(e)}",
                "free some space or choose another folder; what was saved before is intact",
                e
            );
        }
    }

    /// <summary>Adds to the end of a file.</summary>
    /// <exception cref="EnvironmentError">The disk is full or the file cannot be written.</exception>
    internal static void Append(string path, Action<FileStream> write)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Append);
            write(stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentError($"{path} cannot be written: {Reason(e)}", "free some space", e);
        }
    }

    /// <summary>Removes what killed processes left under temporary names.</summary>
    internal static void RemoveUnfinished(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*.tmp"))
            if (
                Path.GetExtension(Path.GetFileNameWithoutExtension(file)) is ['.', .. var id]
                && int.TryParse(id, out _)
            )
                Remove(file);
    }

    /// <summary>The whole file.</summary>
    /// <exception cref="InputError">It is missing, cannot be read, or is none: a folder, a pipe, a device.</exception>
    public static byte[] Read(string path)
    {
        RequireFile(path);
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputError($"there is no file {path}", "check the path", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path} cannot be read: {Reason(e)}", "check that you may read it", e);
        }
    }

    /// <summary>Reading a pipe or a device may never end.</summary>
    /// <exception cref="InputError">It is one, or a folder.</exception>
    public static void RequireFile(string path)
    {
        if (Directory.Exists(path))
            throw new InputError($"{path} is a folder", "name a file");
        if (FileKind.IsSpecial(path))
            throw new InputError($"{path} is a pipe or a device, and not a file", "name a file");
    }

    /// <summary>ENOSPC on Linux, ERROR_DISK_FULL on Windows.</summary>
    private static bool IsDiskFull(Exception e) => (e.HResult & 0xFFFF) is 28 or 112;

    /// <summary>EAGAIN on Linux and macOS, ERROR_SHARING_VIOLATION on Windows: what opening a locked file says.</summary>
    internal static bool IsHeldByAnother(IOException e) => (e.HResult & 0xFFFF) is 11 or 35 or 32;

    internal static string Reason(Exception e) =>
        e switch
        {
            UnauthorizedAccessException => "permission denied",
            _ when IsDiskFull(e) => "the disk is full",
            DirectoryNotFoundException => "the folder does not exist",
            PathTooLongException => "the path is too long",
            _ => "the system refused",
        };

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
    }
}
