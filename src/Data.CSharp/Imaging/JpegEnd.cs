namespace CnnSpec.Data;

/// <summary>
/// Whether a progressive JPEG was cut short. Each of its scans shows the whole image, so decoders take what there is of them
/// for all there was. ITU-T T.81, annex B.
/// </summary>
internal static class JpegEnd
{
    private const byte Mark = 0xFF;
    private const byte Start = 0xD8;
    private const byte End = 0xD9;
    private const byte Progressive = 0xC2;

    /// <summary>Of other JPEGs never: where one of those ends early, its decoder says so.</summary>
    public static bool IsMissing(ReadOnlySpan<byte> file)
    {
        bool isProgressive = false;
        int at = 2;
        while (at + 1 < file.Length)
        {
            byte kind = file[at + 1];
            if (file[at] != Mark || kind is Mark or 0 || IsRestart(kind))
            {
                // Within a scan's values, or the filling before a marker.
                at++;
                continue;
            }
            if (kind == End)
                return false;
            isProgressive |= kind == Progressive;
            if (kind == Start || at + 3 >= file.Length)
                at += 2;
            else
                at += 2 + (file[at + 2] << 8 | file[at + 3]);
        }
        return isProgressive;
    }

    private static bool IsRestart(byte kind) => kind is >= 0xD0 and <= 0xD7;
}
