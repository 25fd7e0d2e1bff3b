using System.Formats.Tar;
using System.IO.Compression;
using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class SafeTarTests
{
    private static readonly TarLimits Limits = new(EntryBytes: 1000, TotalBytes: 1500, Entries: 5);
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Unpacks_the_files_that_are_wanted()
    {
        string archive = Archive(File("package/a", 10), File("package/sub/b", 20), File("package/c", 5));
        SafeTar.Extract(archive, _folder.File("out"), Limits, path => !path.EndsWith('c'));
        string[] files = Directory.GetFiles(_folder.File("out"), "*", SearchOption.AllDirectories);
        Assert.That(files.Select(f => new FileInfo(f).Length).Order(), Is.EqualTo(new[] { 10, 20 }));
    }

    [TestCase("../evil")]
    [TestCase("package/../../evil")]
    [TestCase("/tmp/cnnspec-evil")]
    [TestCase("..\\evil")]
    [TestCase("C:evil")]
    public void A_path_that_leaves_the_folder_is_refused(string path)
    {
        Refused(Archive(File(path, 4)), path);
        Assert.That(Directory.GetFiles(_folder.Path, "evil*", SearchOption.AllDirectories), Is.Empty);
    }

    [TestCase(TarEntryType.SymbolicLink)]
    [TestCase(TarEntryType.HardLink)]
    public void A_link_is_refused(TarEntryType type) =>
        Refused(Archive(new PaxTarEntry(type, "package/link") { LinkName = "/etc/passwd" }), "a link or a device");

    [Test]
    public void A_device_is_refused() =>
        Refused(Archive(new PaxTarEntry(TarEntryType.CharacterDevice, "package/null")), "a link or a device");

    [Test]
    public void A_huge_entry_is_refused() => Refused(Archive(File("big", 1001)), "larger than");

    [Test]
    public void Many_bytes_in_all_are_refused() => Refused(Archive(File("a", 800), File("b", 800)), "larger than");

    [Test]
    public void Many_entries_are_refused() =>
        Refused(Archive(Enumerable.Range(0, 6).Select(i => File($"f{i}", 1)).ToArray()), "more than 5 entries");

    [Test]
    public void A_file_that_comes_twice_is_refused() => Refused(Archive(File("a", 1), File("a", 2)), "twice");

    [Test]
    public void A_damaged_archive_is_named([Values(0.3, 0.9)] double part)
    {
        byte[] whole = System.IO.File.ReadAllBytes(Archive(File("a", 900, seed: 3)));
        string path = _folder.Write("cut.tgz", whole[..(int)(whole.Length * part)]);
        Refused(path, "damaged");
    }

    private void Refused(string archive, string why)
    {
        var error = Assert.Throws<InputError>(() => SafeTar.Extract(archive, _folder.File("out"), Limits, _ => true))!;
        Assert.That(error.Message, Does.StartWith(Path.GetFileName(archive)).And.Contain(why));
    }

    private static PaxTarEntry File(string path, int length, ulong seed = 1) =>
        new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(TestImages.Random(length, seed)) };

    private string Archive(params TarEntry[] entries)
    {
        string path = _folder.File("archive.tgz");
        using var zip = new GZipStream(System.IO.File.Create(path), CompressionLevel.Fastest);
        using var tar = new TarWriter(zip);
        foreach (var entry in entries)
            tar.WriteEntry(entry);
        return path;
    }
}
