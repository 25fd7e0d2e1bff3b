namespace CnnSpec.Data;

/// <summary>Turns what the file system throws into what a user can act on.</summary>
internal static class DiskFailure
{
    // .NET puts the C library's errno into HResult on Unix, and a Win32 code with the 0x8007 facility on Windows.
    private const int UnixNoSpace = 28;
    private const int UnixQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether the exception is the file system's.</summary>
    public static bool Explains(Exception e) => e is IOException or UnauthorizedAccessException;

    public static UserError Reading(string path, Exception e) =>
        e switch
        {
            FileNotFoundException or DirectoryNotFoundException => new InputError(
                $"{path}: there is no such file",
                "check the path",
                e
            ),
            PathTooLongException => new InputError(
                $"{Shortened(path)}: its path of {path.Length:N0} characters is too long",
                "nest folders less deeply",
                e
            ),
            UnauthorizedAccessException => new EnvironmentError(
                $"{path}: no permission to read it",
                "change its permissions",
                e
            ),
            _ => new EnvironmentError($"{path}: cannot be read: {e.Message}", "check the disk and the path", e),
        };

    private static string Shortened(string path)
    {
        const int shown = 80;
        return path.Length <= shown ? path : path[..shown] + "…";
    }

    /// <param name="folder">Where the files were going.</param>
    /// <param name="bytesNeeded">What the whole operation needs there.</param>
    public static UserError Writing(string folder, long bytesNeeded, Exception e) =>
        e switch
        {
            IOException { HResult: UnixNoSpace or UnixQuota or WindowsDiskFull or WindowsHandleDiskFull } => NoSpace(
                folder,
                bytesNeeded,
                e
            ),
            UnauthorizedAccessException => new EnvironmentError(
                $"{folder}: no permission to write there",
                "change its permissions, or set CNNSPEC_DATA to a folder of your own",
                e
            ),
            _ => new EnvironmentError(
                $"{folder}: cannot be written: {e.Message}",
                "check the disk, or set CNNSPEC_DATA to another folder",
                e
            ),
        };

    public static EnvironmentError NoSpace(string folder, long bytesNeeded, Exception? e = null) =>
        new(
            $"{folder}: the disk is full: {bytesNeeded:N0} bytes are needed",
            "free some space, or set CNNSPEC_DATA to a folder on another disk",
            e
        );
}
