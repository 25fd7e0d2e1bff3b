using System.IO.Compression;

namespace CnnSpec.Runtime.Checkpoints.Import;

/// <summary>Bytes that reading a file may take beyond the file itself: a few bytes can claim to be gigabytes.</summary>
/// <param name="fileLength">Of the file that is read.</param>
internal sealed class MemoryBudget(long fileLength)
{
    /// <summary>Weights hardly shrink by compression; a small file of zeros may grow to this.</summary>
    private const long Least = 64 << 20;

    /// <summary>How often its own length a larger file may grow to.</summary>
    private const int MostGrowth = 8;

    private long _left = Math.Max(Least, MostGrowth * fileLength);

    /// <returns>The same number.</returns>
    /// <exception cref="FormatException">It is more than is left.</exception>
    public long Take(long bytes)
    {
        _left -= bytes;
        return bytes >= 0 && _left >= 0
            ? bytes
            : throw new FormatException("it would unpack to many times its length, as no file of weights does");
    }
}

/// <summary>Members of a zip archive, in memory only: their names are never paths.</summary>
internal sealed class ZipMembers(MemoryBudget room)
{
    /// <summary>What is left to unpack.</summary>
    public MemoryBudget Room => room;

    /// <summary>The member's bytes, which zip checks by its CRC.</summary>
    /// <exception cref="FormatException">It is longer than it says, or than an array can be.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public byte[] Read(ZipArchiveEntry member)
    {
        if (member.Length > Array.MaxLength)
            throw new FormatException($"its member {member.FullName} has {member.Length} bytes");
        // A member that claims less than it unpacks to ends where it claims to.
        var bytes = new byte[room.Take(member.Length)];
        using var stream = member.Open();
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == bytes.Length ? bytes : throw new FormatException($"its member {member.FullName} ends too soon");
    }
}
