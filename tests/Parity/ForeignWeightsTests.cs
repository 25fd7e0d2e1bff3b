using CnnSpec.Runtime;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Parity;

/// <summary>Weights that people have from elsewhere give the network they were saved from.</summary>
public class ForeignWeightsTests
{
    private string _folder = "";

    [OneTimeSetUp]
    public void Write()
    {
        _folder = Directory.CreateTempSubdirectory("cnnspec-formats").FullName;
        PyTorch.Run("formats.py", _folder);
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [TestCase("zip.pt")]
    [TestCase("older.pth")]
    [TestCase("checkpoint.pt")]
    [TestCase("parallel.pt")]
    [TestCase("parameters.pt")]
    [TestCase("views.pt")]
    [TestCase("double.pt")]
    [TestCase("arrays.npz")]
    [TestCase("arrays")]
    public void Weights_are_read_as_they_were_saved(string name)
    {
        EngineSetup.Initialise();
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        using var network = NewNetwork();
        WeightFile.Load(Path.Combine(_folder, name), network);
        network.eval();
        var (shape, values) = NpyFile.Read(Path.Combine(_folder, "x.npy"));
        var logits = network.forward(tensor(values.AsMemory(), shape));
        var (_, expected) = NpyFile.Read(Path.Combine(_folder, "y.npy"));
        Assert.That(logits.data<float>().ToArray(), Is.EqualTo(expected).Within(1e-4));
    }

    [TestCase("module.pt", "save them alone")]
    [TestCase("script.pt", "save the weights alone")]
    public void What_is_no_file_of_weights_is_refused_with_the_way_out(string name, string help)
    {
        using var network = NewNetwork();
        var error = Assert.Throws<InputError>(() => WeightFile.Load(Path.Combine(_folder, name), network));
        Assert.That(error!.Message, Does.Contain(name).And.Contains(help));
    }

    /// <summary>Wherever a file is cut or changed, it is refused or read; nothing else can happen.</summary>
    [TestCase("zip.pt")]
    [TestCase("older.pth")]
    [TestCase("arrays.npz")]
    public void Damage_is_named(string name)
    {
        int seed = Environment.TickCount & 0xffffff;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var network = NewNetwork();
        byte[] whole = File.ReadAllBytes(Path.Combine(_folder, name));
        string path = Path.Combine(_folder, "damaged-" + name);
        for (int attempt = 0; attempt < 60; attempt++)
        {
            byte[] bytes = [.. whole];
            if (attempt % 2 == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            else
                // Mostly in the pickles and headers, which are at the ends.
                bytes[random.Next(2) == 0 ? random.Next(4000) : bytes.Length - 1 - random.Next(4000)] ^= (byte)(
                    1 << random.Next(8)
                );
            File.WriteAllBytes(path, bytes);
            try
            {
                WeightFile.Load(path, network);
            }
            catch (InputError error)
            {
                Assert.That(error.Message, Does.Contain(path));
            }
        }
    }

    [Test]
    public void An_array_that_a_file_has_twice_is_named()
    {
        string path = Path.Combine(_folder, "twice.npz");
        File.Copy(Path.Combine(_folder, "arrays.npz"), path);
        using (var archive = System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Update))
        {
            var first = archive.Entries[0];
            using var array = new MemoryStream();
            using (var stream = first.Open())
                stream.CopyTo(array);
            using var again = archive.CreateEntry(first.FullName).Open();
            again.Write(array.ToArray());
        }
        using var network = NewNetwork();
        var error = Assert.Throws<InputError>(() => WeightFile.Load(path, network))!;
        Assert.That(error.Message, Does.StartWith(path).And.Contain("twice"));
    }

    private static Network NewNetwork() =>
        new(Specs.Program(File.ReadAllText(Path.Combine(Specs.Root, "specs/cifar10/resnet18-small.cnn"))));
}
