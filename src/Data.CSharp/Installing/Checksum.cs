using System.Security.Cryptography;

namespace CnnSpec.Data;

/// <summary>
/// A file's fingerprint as its publisher gives it: MD5 where that is all there is, SHA-256 where we pinned it.
/// </summary>
public sealed record Checksum(string Algorithm, string Hex)
{
    public static Checksum Md5(string hex) => new("MD5", hex);

    public static Checksum Sha256(string hex) => new("SHA-256", hex);

    /// <summary>SHA-256 of a file, in lower-case hexadecimal.</summary>
    public static string Sha256Of(string path) => Of("SHA-256", path);

    /// <exception cref="InputError">The file is not the one that was pinned.</exception>
    public void Verify(string path)
    {
        string actual = Of(Algorithm, path);
        if (actual != Hex)
            throw new InputError(
                $"{Path.GetFileName(path)}: wrong {Algorithm}: {Hex} expected, {actual} found",
                "fetch it again; if it stays so, its publisher has changed the file"
            );
    }

    private static string Of(string algorithm, string path)
    {
        using var file = File.OpenRead(path);
        // MD5 only compares with what the publisher printed; nothing is trusted because of it.
        byte[] hash = algorithm == "MD5" ? MD5.HashData(file) : SHA256.HashData(file);
        return Convert.ToHexStringLower(hash);
    }
}
