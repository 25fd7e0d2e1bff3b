using System.Buffers.Binary;
using System.IO.Compression;
using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class IdxFileTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase(false)]
    [TestCase(true)]
    public void Reads_what_was_written(bool zipped)
    {
        byte[] pixels = TestImages.Pattern(4 * 3 * 5);
        byte[] content = Images(4, 3, 5, pixels);
        string path = _folder.Write("images", zipped ? Gzip(content) : content);
        var images = IdxFile.ReadImages(path);
        Assert.That((images.Count, images.Height, images.Width), Is.EqualTo((4, 3, 5)));
        Assert.That(images.Pixels, Is.EqualTo(pixels));
    }

    [Test]
    public void Reads_labels()
    {
        using var stream = new MemoryStream();
        IdxFile.WriteLabels(stream, [3, 1, 4]);
        Assert.That(IdxFile.ReadLabels(_folder.Write("labels", stream.ToArray())), Is.EqualTo(new byte[] { 3, 1, 4 }));
    }

    [TestCase(false, 0)]
    [TestCase(false, 3)]
    [TestCase(false, 15)]
    [TestCase(false, 40)]
    [TestCase(true, 40)]
    public void A_truncated_file_is_named_with_both_lengths(bool zipped, int length)
    {
        byte[] content = Images(4, 3, 5, TestImages.Pattern(60))[..length];
        string path = _folder.Write("images", zipped ? Gzip(content) : content);
        var error = Assert.Throws<InputError>(() => IdxFile.ReadImages(path))!;
        Assert.That(error.Message, Does.Contain(path).And.Contain("truncated").And.Contain($"{length} found"));
        Assert.That(error.Message, Does.Contain(length < 16 ? "16 bytes expected" : "76 bytes expected"));
    }

    [Test]
    public void A_gzip_that_ends_early_is_an_input_error()
    {
        byte[] zipped = Gzip(Images(40, 30, 5, TestImages.Random(6000, 1)));
        string path = _folder.Write("images.gz", zipped[..(zipped.Length / 2)]);
        Assert.That(() => IdxFile.ReadImages(path), Throws.TypeOf<InputError>().With.Message.Contains(path));
    }

    [Test]
    public void A_damaged_gzip_is_an_input_error()
    {
        byte[] zipped = Gzip(Images(40, 30, 5, TestImages.Random(6000, 1)));
        zipped[zipped.Length / 2] ^= 0xff;
        string path = _folder.Write("images.gz", zipped);
        Assert.That(() => IdxFile.ReadImages(path), Throws.TypeOf<InputError>().With.Message.Contains(path));
    }

    [Test]
    public void A_file_that_is_too_long_is_refused([Values] bool zipped)
    {
        byte[] content = [.. Images(1, 2, 3, TestImages.Pattern(6)), 0];
        string path = _folder.Write("images", zipped ? Gzip(content) : content);
        Assert.That(
            () => IdxFile.ReadImages(path),
            Throws.TypeOf<InputError>().With.Message.Contains("22 bytes expected")
        );
    }

    [Test]
    public void Labels_are_not_images()
    {
        using var stream = new MemoryStream();
        IdxFile.WriteLabels(stream, new byte[100]);
        string path = _folder.Write("labels", stream.ToArray());
        var error = Assert.Throws<InputError>(() => IdxFile.ReadImages(path))!;
        Assert.That(error.Message, Does.Contain("0x00000801").And.Contain("0x00000803"));
    }

    [TestCase(int.MaxValue, 28, 28)]
    [TestCase(-1, 28, 28)]
    [TestCase(0, 28, 28)]
    [TestCase(int.MaxValue, int.MaxValue, int.MaxValue)]
    public void Absurd_counts_are_refused_before_memory_is_taken(int count, int height, int width)
    {
        var header = new byte[16];
        BinaryPrimitives.WriteInt32BigEndian(header, 0x0803);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), count);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), height);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(12), width);
        string path = _folder.Write("images", header);
        Assert.That(() => IdxFile.ReadImages(path), Throws.TypeOf<InputError>().With.Message.Contains("claims"));
    }

    [Test]
    public void A_missing_file_is_named()
    {
        string path = _folder.File("absent");
        Assert.That(() => IdxFile.ReadImages(path), Throws.TypeOf<InputError>().With.Message.Contains(path));
    }

    [Test]
    public void Cifar_records_are_read_in_place_and_checked()
    {
        byte[] records = TestImages.Pattern(3 * CifarRecords.RecordSize);
        for (int i = 0; i < 3; i++)
            records[i * CifarRecords.RecordSize] = (byte)i;
        string path = _folder.Write("batch.bin", records);
        var images = CifarRecords.Read([path], 3, ["a", "b", "c"]);
        Assert.That(images.Label(2), Is.EqualTo(2));
        Assert.That(TestImages.Read(images, 1), Is.EqualTo(records[3074..6146]));
        Assert.That(
            () => CifarRecords.Read([path], 4, ["a", "b", "c"]),
            Throws.TypeOf<InputError>().With.Message.Contains("12292 bytes expected, 9219 found")
        );
        Assert.That(
            () => CifarRecords.Read([path], 3, ["a", "b"]),
            Throws.TypeOf<InputError>().With.Message.Contains("record 2 has label 2")
        );
    }

    private static byte[] Images(int count, int height, int width, byte[] pixels)
    {
        using var stream = new MemoryStream();
        IdxFile.WriteImages(stream, count, height, width, pixels);
        return stream.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var zip = new GZipStream(stream, CompressionLevel.Fastest))
            zip.Write(content);
        return stream.ToArray();
    }
}
