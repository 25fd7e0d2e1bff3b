using System.Diagnostics;
using System.Text;
using CnnSpec.Data;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Checkpoints.Import;
using CnnSpec.Runtime.Export;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Data;
using CnnSpec.Runtime.Tests.Networks;

namespace CnnSpec.Runtime.Tests.Checkpoints;

/// <summary>
/// Files of others, changed at random: whatever stands in them is read, or refused in words, at once.
/// CNNSPEC_FUZZ_FILES=100000 tries as many of each format.
/// </summary>
public class MutatedFileTests
{
    private static readonly int Files = int.TryParse(
        Environment.GetEnvironmentVariable("CNNSPEC_FUZZ_FILES"),
        out int asked
    )
        ? asked
        : 400;

    private readonly TestFolder _folder = new();

    [OneTimeTearDown]
    public void Remove() => _folder.Dispose();

    private static Network Made() =>
        Network.Initial(Specs.Network("conv(4, kernel=3); batch_norm; relu; flatten; linear(3)", "2 x 6 x 8"), 1);

    /// <summary>What an older PyTorch wrote: a state dict of one vector of three numbers.</summary>
    private static byte[] OlderPyTorch()
    {
        byte[] Pickled(string code) => [0x80, 2, .. Encoding.Latin1.GetBytes(code), (byte)'.'];
        string Text(string value) => $"X{(char)value.Length}\0\0\0{value}";
        string storage = $"({Text("storage")}ctorch\nFloatStorage\n{Text("7")}{Text("cpu")}K\u0003tQ";
        string tensor = $"ctorch._utils\n_rebuild_tensor_v2\n({storage}K\0K\u0003\u0085K\u0001\u0085tR";
        return
        [
            .. Pickled("\u008a\u000al\u00fc\u009cF\u00f9 j\u00a8P\u0019"),
            .. Pickled("M\u00e9\u0003"),
            .. Pickled("}"),
            .. Pickled($"}}{Text("w")}{tensor}s"),
            .. Pickled($"]{Text("7")}a"),
            .. BitConverter.GetBytes(3L),
            .. new byte[12],
        ];
    }

    [TestCase("safetensors")]
    [TestCase("npz")]
    [TestCase("pth")]
    [TestCase("older pth")]
    public void Weights(string format)
    {
        string path = _folder.File("weights");
        using var network = Made();
        Action<string, Network> write = format switch
        {
            "safetensors" => WeightExport.WriteSafetensors,
            "npz" => WeightExport.WriteNumPy,
            "pth" => WeightExport.WritePyTorch,
            _ => (name, _) => File.WriteAllBytes(name, OlderPyTorch()),
        };
        write(path, network);
        Assert.That(WeightSource.Read(path), Is.Not.Empty, "the whole file is read");
        EachMutation(path, changed => WeightSource.Read(changed));
    }

    [Test]
    public void Arrays()
    {
        string path = _folder.File("x.npy");
        NpyFile.Write(path, [2, 3, 4], new float[24]);
        EachMutation(path, changed => NpyFile.Read(changed));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void Images(int channels)
    {
        string path = _folder.Write("x.png", TestImages.Png(new ImageShape(channels, 9, 13)));
        EachMutation(path, changed => ImageDecoder.Read(changed));
    }

    private void EachMutation(string path, Action<string> read)
    {
        int seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[] whole = File.ReadAllBytes(path);
        string changed = _folder.File("changed" + Path.GetExtension(path));
        int refused = 0;
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < Files; i++)
        {
            byte[] bytes = Mutated(whole, random);
            File.WriteAllBytes(changed, bytes);
            clock.Restart();
            try
            {
                read(changed);
            }
            catch (InputError error)
            {
                refused++;
                Assert.That(error.Message, Does.Contain(Path.GetFileName(changed)));
            }
            catch (Exception fault)
            {
                Assert.Fail($"file {i} of seed {seed}: {fault}\n{Convert.ToBase64String(bytes)}");
            }
            Assert.That(clock.Elapsed.TotalSeconds, Is.LessThan(5), $"file {i} of seed {seed}");
        }
        TestContext.Out.WriteLine($"{Files} files, {refused} refused");
        Assert.That(refused, Is.Positive);
    }

    /// <summary>A few bytes changed, a stretch removed, doubled or filled, or the end cut off.</summary>
    private static byte[] Mutated(byte[] whole, Random random)
    {
        var bytes = whole.ToList();
        for (int change = random.Next(1, 5); change > 0 && bytes.Count > 0; change--)
        {
            int at = random.Next(bytes.Count);
            int length = random.Next(1, Math.Min(16, bytes.Count - at) + 1);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)(random.Next(2) == 0 ? 0xFF : 0);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 4:
                    for (int i = at; i < at + length; i++)
                        bytes[i] = (byte)random.Next(256);
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(4) == 0 ? bytes.Count - at : length);
                    break;
            }
        }
        return [.. bytes];
    }
}
