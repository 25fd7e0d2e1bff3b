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

    /// <summary>Few bytes that would take for ever, or all memory, if they were believed.</summary>
    [TestCaseSource(nameof(Bombs))]
    public void A_bomb_is_refused_at_once_and_takes_little_memory(string name, byte[] file)
    {
        string path = Path.Combine(_folder, "weights.pth");
        File.WriteAllBytes(path, file);
        long before = GC.GetTotalAllocatedBytes();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var error = Assert.Throws<InputError>(() => WeightSource.Read(path));
        TestContext.Out.WriteLine(error!.Message);
        Assert.That(error.Message, Does.Contain(path), name);
        Assert.That(clock.Elapsed.TotalSeconds, Is.LessThan(2), "alone it takes far less than one");
        Assert.That(GC.GetTotalAllocatedBytes() - before, Is.LessThan(200 << 20));
    }

    private static IEnumerable<TestCaseData> Bombs()
    {
        byte[] Zip(params (string Name, byte[] Bytes)[] members)
        {
            using var memory = new MemoryStream();
            using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
                foreach (var (member, bytes) in members)
                {
                    using var stream = archive.CreateEntry(member).Open();
                    stream.Write(bytes);
                }
            return memory.ToArray();
        }
        byte[] Archive(string code) => Zip(("a/data.pkl", Pickled(code)));
        // The form before PyTorch 1.6, which looks through the whole value for storages.
        byte[] Older(string code) =>
            [
                .. Pickled("\u008a\u000al\u00fc\u009cF\u00f9 j\u00a8P\u0019"),
                .. Pickled("M\u00e9\u0003"),
                .. Pickled("}"),
                .. Pickled(code),
                .. Pickled("]"),
            ];
        TestCaseData Bomb(string name, byte[] file) => new TestCaseData(name, file).SetName(name);

        yield return Bomb("a state dict that contains itself", Archive($"}}q\0{Text("state_dict")}h\0s"));
        yield return Bomb(
            "state dicts that contain each other",
            Archive($"}}q\0}}q\u0001{Text("model")}h\0s{Text("model")}h\u0001s")
        );
        string doubled =
            "]q\0"
            + string.Concat(Enumerable.Range(1, 60).Select(i => $"](h{(char)(i - 1)}h{(char)(i - 1)}eq{(char)i}"));
        yield return Bomb("lists shared exponentially", Older($"}}{Text("w")}{doubled}s"));
        yield return Bomb("a list that contains itself", Older($"}}{Text("w")}]q\0h\0as"));
        yield return Bomb(
            "lists nested a hundred thousand deep",
            Older($"}}{Text("w")}{new string(']', 100_000)}{new string('a', 99_999)}s")
        );
        yield return Bomb("two million lists", Archive(new string(']', 2_000_000)));
        yield return Bomb("two million marks", Archive(new string('(', 2_000_000)));
        string parameter = "ctorch._utils\n_rebuild_parameter\n";
        yield return Bomb(
            "parameters of parameters",
            Archive(
                $"}}{Text("w")}"
                    + string.Concat(Enumerable.Repeat(parameter, 5_000))
                    + "N"
                    + new string('\u0085', 1)
                    + "R"
                    + string.Concat(Enumerable.Repeat("\u0085R", 4_999))
                    + "s"
            )
        );
        yield return Bomb("a memory with a hole", Archive("}r\u00ff\u00ff\u00ff\u007f"));
        yield return Bomb("a zip bomb", Zip(("a/data.pkl", new byte[300_000_000])));
        yield return Bomb(
            "a zip bomb of arrays",
            Zip([.. Enumerable.Range(0, 3).Select(i => ($"{i}.npy", new byte[60_000_000]))])
        );

        string storage = $"({Text("storage")}ctorch\nFloatStorage\n{Text("0")}{Text("cpu")}J\0\0@\0tQ";
        string View(string sizes, string steps) => $"ctorch._utils\n_rebuild_tensor_v2\n({storage}K\0{sizes}{steps}tR";
        byte[] floats = new byte[4 << 22];
        string many =
            "}("
            + string.Concat(
                Enumerable
                    .Range(0, 200)
                    .Select(i => Text($"w{i:000}") + View("M\0\u0008M\0\u0008\u0086", "K\u0001M\0\u0008\u0086"))
            )
            + "u";
        yield return Bomb(
            "one storage turned around for 200 tensors",
            Zip(("a/data.pkl", Pickled(many)), ("a/data/0", floats))
        );
        const string far = "\u008a\u0008\u0001\0\0\0\0\0\0@"; // 2^62 + 1
        foreach (string steps in (string[])[$"K\u0001{far}\u0086", $"{far}{far}\u0086"])
            yield return Bomb(
                $"strides that wrap {steps.Length}",
                Zip(
                    ("a/data.pkl", Pickled($"}}{Text("w")}{View("K\u0005K\u0005\u0086", steps)}s")),
                    ("a/data/0", floats)
                )
            );
    }

    /// <summary>Tied weights: one storage, read once.</summary>
    [Test]
    public void Tensors_of_one_storage_share_its_memory()
    {
        string storage = $"({Text("storage")}ctorch\nFloatStorage\n{Text("0")}{Text("cpu")}K\u0006tQ";
        string View(string offset, string size) =>
            $"ctorch._utils\n_rebuild_tensor_v2\n({storage}{offset}{size}\u0085K\u0001\u0085tR";
        string path = InArchive(
            Pickled(
                $"}}({Text("a")}{View("K\0", "K\u0006")}{Text("b")}{View("K\u0002", "K\u0003")}{Text("c")}{View("K\u0006", "K\0")}u"
            )
        );
        using (var archive = ZipFile.Open(path, ZipArchiveMode.Update))
        using (var stream = archive.CreateEntry("archive/data/0").Open())
            stream.Write([.. Enumerable.Range(0, 6).SelectMany(i => BitConverter.GetBytes((float)i))]);
        var weights = WeightSource.Read(path);
        float[] Values(string name) =>
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(weights[name].Bytes.Span).ToArray();
        Assert.That(Values("a"), Is.EqualTo(new float[] { 0, 1, 2, 3, 4, 5 }));
        Assert.That(Values("b"), Is.EqualTo(new float[] { 2, 3, 4 }));
        Assert.That(Values("c"), Is.Empty);
        Assert.That(weights["b"].Bytes.Span.Overlaps(weights["a"].Bytes.Span), Is.True);
    }
}
