using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Tests.Checkpoints;

/// <summary>
/// A bit that a disk loses is found: resuming with another recipe, or from other weights, would train another network, and
/// nobody would know.
/// </summary>
public class DamageTests
{
    private const int Flips = 400;

    private readonly CnnSpec.Runtime.Tests.Data.TestFolder _folder = new();
    private string _run = "";

    [OneTimeSetUp]
    public async Task Train()
    {
        _run = Path.Combine(_folder.Path, "run");
        await Trainer.RunAsync(
            Spec.Parse(
                    """
                    network N { input 1 x 28 x 28; conv(2, kernel=5, stride=5); batch_norm; flatten; linear(10) }
                    train { data = shapes(train_images=60, test_images=20); optimizer = adam(lr=0.001); batch = 20; epochs = 1 }
                    """,
                    name: "n.cnn"
                )
                .Network(),
            new TrainerOptions { Folder = _run }
        );
    }

    [OneTimeTearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public void Any_bit_of_the_description_of_a_run()
    {
        string path = Path.Combine(_run, RunDescription.FileName);
        string whole = Content(RunDescription.Read(_run));
        EachFlip(path, () => Content(RunDescription.Read(_run)), whole);
    }

    [Test]
    public void Any_bit_of_a_checkpoint()
    {
        string path = Directory.GetFiles(Path.Combine(_run, "checkpoints"), "step-*").Max()!;
        EachFlip(path, Read, Read());

        string Read()
        {
            using var folder = new CheckpointFolder(_run);
            var checkpoint = folder.Read(CheckpointChoice.Latest)!;
            return string.Join(
                '\n',
                checkpoint
                    .Tensors.Select(one =>
                        $"{one.Key} {one.Value.Type} {string.Join(',', one.Value.Shape)} {Convert.ToHexString(one.Value.Bytes.Span)}"
                    )
                    .Concat(checkpoint.Metadata.Select(note => $"{note.Key}={note.Value}"))
                    .Order(StringComparer.Ordinal)
            );
        }
    }

    [Test]
    public void Any_bit_of_the_spec()
    {
        var whole = RunFolder.Open(_run).Spec;
        EachFlip(Path.Combine(_run, "spec.cnn"), () => RunFolder.Open(_run).Spec.Text, whole.Text);
    }

    [Test]
    public void Any_bit_of_the_metrics()
    {
        string path = Path.Combine(_run, "metrics.jsonl");
        var metrics = new MetricsFile(_run);
        string written = metrics.Sha256(1);
        EachFlip(
            path,
            () =>
            {
                metrics.Require(1, written);
                return metrics.Read().Single().ToString();
            },
            metrics.Read().Single().ToString()
        );
    }

    [Test]
    public void A_description_of_the_version_before_has_no_checksum_and_is_read()
    {
        string path = Path.Combine(_run, RunDescription.FileName);
        string text = File.ReadAllText(path);
        var json = System.Text.Json.Nodes.JsonNode.Parse(text)!.AsObject();
        json.Remove("sha256");
        json["format"] = 1;
        File.WriteAllText(path, json.ToJsonString());
        try
        {
            Assert.That(RunFolder.Open(_run).Recipe.Epochs, Is.EqualTo(1));
        }
        finally
        {
            File.WriteAllText(path, text);
        }
    }

    private string Content(RunDescription run)
    {
        string other = Path.Combine(_folder.Path, "other");
        Directory.CreateDirectory(other);
        run.Write(other);
        return File.ReadAllText(Path.Combine(other, RunDescription.FileName));
    }

    /// <summary>Either it is refused in words, or what is read is what was written.</summary>
    private static void EachFlip(string path, Func<string> read, string expected)
    {
        byte[] whole = File.ReadAllBytes(path);
        int seed = int.TryParse(Environment.GetEnvironmentVariable("CNNSPEC_TEST_SEED"), out int given)
            ? given
            : Environment.TickCount & 0xffffff;
        TestContext.Out.WriteLine($"CNNSPEC_TEST_SEED={seed}");
        var random = new Random(seed);
        int refused = 0;
        try
        {
            for (int i = 0; i < Flips; i++)
            {
                byte[] damaged = [.. whole];
                // The beginning has the names and the numbers.
                int place = random.Next(2) == 0 ? random.Next(whole.Length) : random.Next(Math.Min(2000, whole.Length));
                damaged[place] ^= (byte)(1 << random.Next(8));
                File.WriteAllBytes(path, damaged);
                try
                {
                    Assert.That(read(), Is.EqualTo(expected), $"byte {place}");
                }
                catch (InputError error)
                {
                    refused++;
                    Assert.That(error.Message, Does.Contain(Path.GetFileName(path)));
                }
            }
        }
        finally
        {
            File.WriteAllBytes(path, whole);
        }
        Assert.That(refused, Is.GreaterThan(Flips * 9 / 10));
    }
}
