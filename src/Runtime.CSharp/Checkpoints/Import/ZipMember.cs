using System.IO.Compression;

namespace CnnSpec.Runtime.Checkpoints.Import;

/// <summary>Members of zip archives, in memory only: their names are never paths.</summary>
internal static class ZipMember
{
    /// <summary>The member's bytes, which zip checks by its CRC.</summary>
    /// <exception cref="FormatException">It is longer than it says, or than an array can be.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static byte[] Read(ZipArchiveEntry member)
    {
        if (member.Length > Array.MaxLength)
            throw new FormatException($"its member {member.FullName} has {member.Length} bytes");
        // A member that claims less than it unpacks to ends where it claims to.
        var bytes = new byte[member.Length];
        using var stream = member.Open();
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == bytes.Length ? bytes : throw new FormatException($"its member {member.FullName} ends too soon");
    }
}
