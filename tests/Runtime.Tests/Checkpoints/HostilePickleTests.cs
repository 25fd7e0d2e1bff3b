using System.IO.Compression;
using System.Text;
using CnnSpec.Runtime.Checkpoints.Import;

namespace CnnSpec.Runtime.Tests.Checkpoints;

/// <summary>A pickle is a program. Reading weights must never run it, whatever it says.</summary>
public class HostilePickleTests
{
    private string _folder = "";

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("cnnspec-pickle").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    /// <summary>Opcodes as text: PROTO 2, what is given, STOP.</summary>
    private static byte[] Pickled(string code) => [0x80, 2, .. Encoding.Latin1.GetBytes(code), (byte)'.'];

    private static string Text(string value) => $"X{(char)value.Length}\0\0\0{value}";

    private string InArchive(byte[] pickle)
    {
        string path = Path.Combine(_folder, "weights.pt");
        using var archive = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        using var stream = archive.CreateEntry("archive/data.pkl").Open();
        stream.Write(pickle);
        return path;
    }

    [Test]
    public void A_command_in_a_pickle_is_not_run([Values] bool inDictionary)
    {
        string witness = Path.Combine(_folder, "witness");
        string call = $"cposix\nsystem\n{Text("touch " + witness)}\x85R";
        string path = InArchive(Pickled(inDictionary ? $"}}{Text("w")}{call}s" : call));
        var error = Assert.Throws<InputError>(() => WeightSource.Read(path));
        Assert.That(error!.Message, Does.Contain(path).And.Contains("posix.system"));
        Assert.That(File.Exists(witness), Is.False);
    }

    [TestCase("")]
    [TestCase("(((")]
    [TestCase("R")]
    [TestCase("h\u0001")]
    [TestCase("}}s")]
    [TestCase("X\u00ff\u00ff\u00ff\u007f")]
    [TestCase("X\u00ff\u00ff\u00ff\u00ff")]
    [TestCase("i")]
    [TestCase("t")]
    [TestCase("cos\n")]
    [TestCase("}X\u0001\0\0\0wK\u0001s")]
    public void A_malformed_pickle_is_named_and_nothing_else_happens(string code)
    {
        string path = InArchive(Pickled(code));
        var error = Assert.Throws<InputError>(() => WeightSource.Read(path));
        Assert.That(error!.Message, Does.Contain(path));
    }

    [Test]
    public void A_tensor_larger_than_its_storage_takes_no_memory()
    {
        // [2^31-1, 2^31-1] of one float, repeated by strides of 0.
        string huge = "J\u00ff\u00ff\u00ff\u007f";
        string storage = $"({Text("storage")}ctorch\nFloatStorage\n{Text("0")}{Text("cpu")}K\u0001tQ";
        string call = $"ctorch._utils\n_rebuild_tensor_v2\n({storage}K\0{huge}{huge}\x86K\0K\0\x86tR";
        string path = InArchive(Pickled($"}}{Text("w")}{call}s"));
        using (var archive = ZipFile.Open(path, ZipArchiveMode.Update))
        using (var stream = archive.CreateEntry("archive/data/0").Open())
            stream.Write([0, 0, 0, 0]);
        var error = Assert.Throws<InputError>(() => WeightSource.Read(path));
        Assert.That(error!.Message, Does.Contain("'w' lies outside of its storage"));
    }
}
