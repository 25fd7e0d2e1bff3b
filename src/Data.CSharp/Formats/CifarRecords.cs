namespace CnnSpec.Data;

/// <summary>
/// The binary version of CIFAR-10: files of 3,073-byte records, one label byte and then 32×32 pixels of red, green and
/// blue
/// (Krizhevsky 2009, the layout described at https://www.cs.toronto.edu/~kriz/cifar.html).
/// </summary>
public static class CifarRecords
{
    public static readonly ImageShape Shape = new(3, 32, 32);

    /// <summary>Bytes of one record: the label and the pixels.</summary>
    public static readonly int RecordSize = 1 + Shape.Size;

    /// <summary>Reads whole files; the pixels stay where the file has them.</summary>
    /// <exception cref="InputError">A file has the wrong length, or a label that no class has.</exception>
    public static MemoryImages Read(IReadOnlyList<string> paths, int recordsPerFile, IReadOnlyList<string> classNames)
    {
        var blocks = new byte[paths.Count][];
        var labels = new int[paths.Count * recordsPerFile];
        for (int f = 0; f < blocks.Length; f++)
        {
            byte[] block = blocks[f] = ReadFile(paths[f], (long)recordsPerFile * RecordSize);
            for (int r = 0; r < recordsPerFile; r++)
            {
                byte label = block[r * RecordSize];
                if (label >= classNames.Count)
                    throw new InputError(
                        $"{paths[f]}: record {r} has label {label}, but there are {classNames.Count} classes",
                        "fetch it again"
                    );
                labels[f * recordsPerFile + r] = label;
            }
        }
        return new MemoryImages(blocks, recordsPerFile, RecordSize, 1, labels, Shape, classNames);
    }

    private static byte[] ReadFile(string path, long expected)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length != expected)
                throw new InputError($"{path}: {expected} bytes expected, {length} found", "fetch it again");
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(path, e);
        }
    }
}
