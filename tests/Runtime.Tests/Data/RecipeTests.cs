using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

/// <summary>
/// What each origin delivers becomes the files that are kept. Contents are stand-ins; the installer checks the real
/// ones by their pins.
/// </summary>
public sealed class RecipeTests
{
    private TestFolder _folder = null!;
    private OriginFolders _folders;

    [SetUp]
    public void MakeFolders()
    {
        _folder = new TestFolder();
        _folders = new OriginFolders(_folder.File("fetched"), _folder.File("prepared"));
        Directory.CreateDirectory(_folders.Fetched);
        Directory.CreateDirectory(_folders.Prepared);
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase("mnist")]
    [TestCase("fashion-mnist")]
    public void Published_idx_files_are_unzipped(string name)
    {
        foreach (string file in IdxFolder.Files)
        {
            using var zip = new GZipStream(
                File.Create(Path.Combine(_folders.Fetched, file + ".gz")),
                CompressionLevel.Fastest
            );
            zip.Write(Encoding.ASCII.GetBytes(file));
        }
        Origin(name, 0).Prepare(_folders, CancellationToken.None);
        AssertKept(IdxFolder.Files);
    }

    [Test]
    public void The_npm_package_of_mnist_has_the_files_as_they_are()
    {
        foreach (string file in IdxFolder.Files)
            _folder.Write($"fetched/package/data/{file}", Encoding.ASCII.GetBytes(file));
        Origin("mnist", 1).Prepare(_folders, CancellationToken.None);
        AssertKept(IdxFolder.Files);
    }

    [Test]
    public void The_published_archive_of_cifar10_is_unpacked()
    {
        string[] records = [.. CifarFolder.TrainFiles, CifarFolder.TestFile];
        using (
            var zip = new GZipStream(
                File.Create(Path.Combine(_folders.Fetched, "cifar-10-binary.tar.gz")),
                CompressionLevel.Fastest
            )
        )
        using (var tar = new TarWriter(zip))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, "cifar-10-batches-bin/"));
            foreach (string file in (string[])[.. records, "readme.html"])
                tar.WriteEntry(
                    new UstarTarEntry(TarEntryType.RegularFile, $"cifar-10-batches-bin/{file}")
                    {
                        DataStream = new MemoryStream(Encoding.ASCII.GetBytes(file)),
                    }
                );
        }
        Origin("cifar10", 0).Prepare(_folders, CancellationToken.None);
        AssertKept(records);
    }

    [TestCase("""{"data":[[1,2,3]]}""", "row 0 differs")]
    [TestCase("""{"data":[]}""", "row 0 differs")]
    [TestCase("""{"data":[[1,2,""", "damaged JSON")]
    public void Json_that_is_not_as_expected_is_named(string json, string why)
    {
        string path = _folder.Write("0.json", Encoding.ASCII.GetBytes(json));
        Assert.That(
            () => FashionJson.ReadClass(path),
            Throws.TypeOf<InputError>().With.Message.Contains(path).And.Message.Contains(why)
        );
    }

    [Test]
    public void The_cache_is_where_the_environment_says()
    {
        string? chosen = Environment.GetEnvironmentVariable("CNNSPEC_DATA");
        string? xdg = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        try
        {
            Environment.SetEnvironmentVariable("XDG_CACHE_HOME", _folder.Path);
            Environment.SetEnvironmentVariable("CNNSPEC_DATA", null);
            Assert.That(DataCache.Default.Root, Is.EqualTo(Path.Combine(_folder.Path, "cnnspec", "data")));
            Environment.SetEnvironmentVariable("CNNSPEC_DATA", _folder.File("here"));
            Assert.That(DataCache.Default.Root, Is.EqualTo(_folder.File("here")));
        }
        finally
        {
            Environment.SetEnvironmentVariable("CNNSPEC_DATA", chosen);
            Environment.SetEnvironmentVariable("XDG_CACHE_HOME", xdg);
        }
    }

    private static Origin Origin(string name, int which) =>
        Installable.All.Single(r => r.Info.Name == name).Origins[which];

    private void AssertKept(IReadOnlyList<string> files)
    {
        Assert.That(Directory.GetFiles(_folders.Prepared).Select(Path.GetFileName), Is.EquivalentTo(files));
        foreach (string file in files)
            Assert.That(File.ReadAllText(Path.Combine(_folders.Prepared, file)), Is.EqualTo(file));
    }
}
