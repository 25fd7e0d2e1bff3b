namespace CnnSpec.Data;

/// <summary>The six files of CIFAR-10's binary version, as they are published and kept.</summary>
internal static class CifarFolder
{
    public const int RecordsPerFile = 10_000;
    public const string TestFile = "test_batch.bin";

    public static readonly IReadOnlyList<string> TrainFiles = Enumerable
        .Range(1, 5)
        .Select(i => $"data_batch_{i}.bin")
        .ToArray();

    /// <exception cref="InputError">A file is damaged.</exception>
    public static (IImageSource Train, IImageSource Test) Load(string folder, DataSetInfo info) =>
        (
            CifarRecords.Read(
                TrainFiles.Select(f => Path.Combine(folder, f)).ToArray(),
                RecordsPerFile,
                info.ClassNames
            ),
            CifarRecords.Read([Path.Combine(folder, TestFile)], RecordsPerFile, info.ClassNames)
        );
}
