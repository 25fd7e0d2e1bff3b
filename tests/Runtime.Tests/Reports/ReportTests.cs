using System.Buffers.Binary;
using CnnSpec.Data;
using CnnSpec.Runtime.Reports;
using CnnSpec.Runtime.Reports.TensorBoard;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Tests.Networks;
using CnnSpec.Runtime.Training;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Tensorboard;

namespace CnnSpec.Runtime.Tests.Reports;

/// <summary>What a run leaves for people to look at.</summary>
public class ReportTests
{
    private const string Spec = """
        network Small {
          input 3 x 20 x 28
          stem: conv(4, kernel=3); relu; global_avg_pool; flatten; linear(10)
        }
        train { data = shapes(train_images=40, test_images=20, validation=10); epochs = 3; batch = 16; augment = [flip] }
        // not markup: <b>
        """;

    private string _folder = "";

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("cnnspec-report").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    private string Train()
    {
        var network = Specs.Compiled(Spec).Networks.Single();
        var recipe = network.Recipes.Single();
        var data = new DataCatalog().Open("shapes", new ImageShape(3, 20, 28), 42, (40, 20));
        string run = Path.Combine(_folder, "run");
        var plan = new TrainingPlan(network.Program, recipe, data, run, ("small.cnn", Spec));
        Assert.That(new TrainingRun(plan, _ => { }).Execute(default), Is.Not.Null);
        return run;
    }

    private static List<Event> Events(string run)
    {
        byte[] file = File.ReadAllBytes(Path.Combine(run, EventFile.Name));
        var events = new List<Event>();
        for (int at = 0; at < file.Length; )
        {
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));
            Assert.That(Checksum(at + 8), Is.EqualTo(EventFile.MaskedChecksum(file.AsSpan(at, 8))));
            var message = file.AsSpan(at + 12, length);
            Assert.That(Checksum(at + 12 + length), Is.EqualTo(EventFile.MaskedChecksum(message)));
            events.Add(Event.Parser.ParseFrom(message.ToArray()));
            at += 16 + length;
        }
        return events;

        uint Checksum(int at) => BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at));
    }

    [Test]
    public void TensorBoard_is_told_the_graph_the_settings_the_images_and_every_epoch()
    {
        var events = Events(Train());
        Assert.That(events[0].FileVersion, Is.EqualTo("brain.Event:2"));
        var graph = GraphDef.Parser.ParseFrom(events.Single(e => !e.GraphDef.IsEmpty).GraphDef);
        Assert.That(graph.Node.Select(node => node.Name), Does.Contain("stem").And.Contains("input"));
        Assert.That(graph.Node.Single(node => node.Name == "stem").Input, Is.EqualTo(new[] { "input" }));

        var values = events.Where(e => e.Summary is not null).SelectMany(e => e.Summary.Value).ToList();
        Assert.That(values.Count(value => value.Tag == "loss/train"), Is.EqualTo(3));
        Assert.That(values.Count(value => value.Tag == "accuracy/validation"), Is.EqualTo(3));
        Assert.That(values.Count(value => value.Tag == "accuracy/test"), Is.EqualTo(1));
        var image = values.Single(value => value.Image is not null).Image;
        Assert.That(
            ImageDecoder.Decode(image.EncodedImageString.Span, "samples").Shape,
            Is.EqualTo(new ImageShape(3, image.Height, image.Width))
        );
        var start = Hyperparameters("_hparams_/session_start_info");
        Assert.That(start["batch"].NumberValue, Is.EqualTo(16));
        Assert.That(start["augment.0"].StringValue, Is.EqualTo("HorizontalFlip"));

        // plugin_data.proto of TensorBoard: field 3 is the session's start, its field 1 the map of settings.
        Dictionary<string, Value> Hyperparameters(string tag) =>
            Fields(values.Single(value => value.Tag == tag).Metadata.PluginData.Content, 3)
                .SelectMany(session => Fields(session, 1))
                .ToDictionary(
                    entry => Fields(entry, 1).Single().ToStringUtf8(),
                    entry => Value.Parser.ParseFrom(Fields(entry, 2).Single())
                );
    }

    /// <summary>What a message holds under the number of a field of bytes, text or messages.</summary>
    private static List<ByteString> Fields(ByteString message, int wanted)
    {
        var found = new List<ByteString>();
        var stream = message.CreateCodedInput();
        while (stream.ReadTag() is not 0 and var tag)
            if (tag == WireFormat.MakeTag(wanted, WireFormat.WireType.LengthDelimited))
                found.Add(stream.ReadBytes());
            else
                stream.SkipLastField();
        return found;
    }

    /// <summary>The check value of CRC-32C (RFC 3720, appendix B.4), masked as TFRecord does.</summary>
    [Test]
    public void Checksums_are_those_that_TensorBoard_expects()
    {
        uint crc = 0xE3069283;
        uint masked = unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8);
        Assert.That(EventFile.MaskedChecksum("123456789"u8), Is.EqualTo(masked));
    }

    [Test]
    public void The_report_is_one_page_that_needs_nothing_else()
    {
        string run = Train();
        string page = File.ReadAllText(Path.Combine(run, RunReport.FileName));
        Assert.Multiple(() =>
        {
            foreach (string name in RunFolder.Open(run).ClassNames)
                Assert.That(page, Does.Contain(name));
            Assert.That(page, Does.Contain("The most confident errors").And.Contains("data:image/png;base64,"));
            Assert.That(page, Does.Contain("polyline").And.Contains("stem"));
            Assert.That(page, Does.Contain("not markup: &lt;b&gt;"));
            Assert.That(page, Does.Not.Contain("<script").And.Not.Contain(" src=\"http").And.Not.Contain("<link"));
        });
    }

    [Test]
    public void A_chart_of_one_epoch_or_of_equal_values_is_drawn()
    {
        Assert.That(LineChart.Draw("a", "0.0", [new Series("a", "red", [1])]), Does.Contain("<circle"));
        Assert.That(LineChart.Draw("a", "0.0", [new Series("a", "red", [0, 0, 0])]), Does.Not.Contain("NaN"));
        Assert.That(
            LineChart.Draw("a", "0.0", [new Series("a", "red", [null, double.NaN, 3])]),
            Does.Not.Contain("NaN")
        );
    }
}
