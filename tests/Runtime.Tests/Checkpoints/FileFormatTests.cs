using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Tests.Data;
using FsCheck.NUnit;
using PropertyAttribute = FsCheck.NUnit.PropertyAttribute;

namespace CnnSpec.Runtime.Tests.Checkpoints;

public class FileFormatTests
{
    [Test]
    public void Weights_survive_a_file_to_the_last_bit()
    {
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "w.safetensors");
        byte[] bytes = new byte[24];
        Random.Shared.NextBytes(bytes);
        Safetensors.Write(
            path,
            [
                new("layer.weight", new StoredTensor("F32", [2, 3], bytes)),
                new("layer.counter", new StoredTensor("I64", [], new byte[8])),
            ],
            new Dictionary<string, string> { ["epochs"] = "3" }
        );
        var (tensors, metadata) = Safetensors.Read(path);
        Assert.That(tensors["layer.weight"].Bytes.ToArray(), Is.EqualTo(bytes));
        Assert.That(tensors["layer.weight"].Shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(tensors["layer.counter"].Shape, Is.Empty);
        Assert.That(metadata["epochs"], Is.EqualTo("3"));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1), "a temporary file stayed behind");
    }

    [Property(MaxTest = 300)]
    public void Any_damage_to_a_weight_file_is_refused_in_words(ushort at, byte value, bool truncate)
    {
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "w.safetensors");
        Safetensors.Write(
            path,
            [
                new("a", new StoredTensor("F32", [4], Enumerable.Repeat((byte)7, 16).ToArray())),
                new("b", new StoredTensor("I64", [1], Enumerable.Repeat((byte)7, 8).ToArray())),
            ],
            new Dictionary<string, string>()
        );
        byte[] bytes = File.ReadAllBytes(path);
        int place = at % bytes.Length;
        if (truncate)
            File.WriteAllBytes(path, bytes[..place]);
        else
        {
            bytes[place] = value;
            File.WriteAllBytes(path, bytes);
        }
        // Either it still reads, as it was written, or the error is ours.
        try
        {
            var (tensors, _) = Safetensors.Read(path);
            Assert.That(tensors.Keys, Is.EquivalentTo(new[] { "a", "b" }));
            Assert.That(tensors.Values.SelectMany(tensor => tensor.Bytes.ToArray()), Is.All.EqualTo(7));
        }
        catch (InputError error)
        {
            Assert.That(error.Message, Does.Contain("w.safetensors"));
            Assert.That(error.Help, Is.Not.Empty);
        }
    }

    [TestCase(new long[] { 2, 3, 4 })]
    [TestCase(new long[] { 5 })]
    [TestCase(new long[] { })]
    public void Arrays_survive_a_file(long[] shape)
    {
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "x.npy");
        float[] values = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(i => i * 0.5f)];
        NpyFile.Write(path, shape, values);
        var (readShape, readValues) = NpyFile.Read(path);
        Assert.That(readShape, Is.EqualTo(shape));
        Assert.That(readValues, Is.EqualTo(values));
    }

    [Test]
    public void Pickled_objects_in_an_array_file_are_refused()
    {
        using var folder = new TestFolder();
        string path = Path.Combine(folder.Path, "x.npy");
        string header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".PadRight(117) + "\n";
        File.WriteAllBytes(
            path,
            [
                0x93,
                .. "NUMPY"u8,
                1,
                0,
                (byte)header.Length,
                0,
                .. System.Text.Encoding.ASCII.GetBytes(header),
                0x80,
                0x04,
            ]
        );
        var error = Assert.Throws<InputError>(() => NpyFile.Read(path));
        Assert.That(error!.Message, Does.Contain("|O"));
    }

    /// <summary>The format has its tensors one after the other. What lies elsewhere is damage, or somebody's trick.</summary>
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""",
        "'b' and 'a' overlap"
    )]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        "overlap"
    )]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""",
        "between 'a' and 'b'"
    )]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", "between 'the header' and 'a'")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""",
        "a name twice"
    )]
    [TestCase("""{"a":{"dtype":"F32","shape":[2]}}""", "entry 'a' is malformed")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "'a' has no two offsets")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0.5,8.5]}}""", "entry 'a' is malformed")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}}""",
        "entry 'a' is malformed"
    )]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", "a name twice")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "'a' lies outside")]
    public void Tensors_that_do_not_follow_each_other_are_refused_by_name(string header, string why)
    {
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header);
        byte[] file = [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[12]];
        Assert.That(
            () => Safetensors.Read("w.safetensors", file),
            Throws.TypeOf<InputError>().With.Message.Contains(why)
        );
    }

    [Test, System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_file_is_written_through_a_link_and_keeps_its_permissions()
    {
        using var folder = new TestFolder();
        string file = folder.Write("deep/real", [1]);
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupExecute;
        File.SetUnixFileMode(file, mode);
        File.CreateSymbolicLink(folder.File("link"), file);
        CnnSpec.Data.AtomicFile.Write(folder.File("link"), stream => stream.Write([2, 3]));
        Assert.That(new FileInfo(folder.File("link")).LinkTarget, Is.EqualTo(file));
        Assert.That(File.ReadAllBytes(file), Is.EqualTo(new byte[] { 2, 3 }));
        Assert.That(File.GetUnixFileMode(file), Is.EqualTo(mode));
    }

    [Test]
    public void A_pipe_or_a_device_is_written_to_and_not_replaced()
    {
        using var folder = new TestFolder();
        string pipe = folder.File("pipe");
        System.Diagnostics.Process.Start("mkfifo", pipe).WaitForExit();
        var read = Task.Run(() => File.ReadAllBytes(pipe));
        CnnSpec.Data.AtomicFile.Write(pipe, stream => stream.Write([2, 3]));
        Assert.That(read.Result, Is.EqualTo(new byte[] { 2, 3 }));
        CnnSpec.Data.AtomicFile.Write("/dev/null", stream => stream.Write([2, 3]));
        Assert.That(new FileInfo("/dev/null").Length, Is.Zero);
        foreach (string path in new[] { pipe, "/dev/zero", folder.Path })
            Assert.That(
                () => CnnSpec.Data.AtomicFile.Read(path),
                Throws.TypeOf<InputError>().With.Message.StartsWith(path)
            );
    }
}
