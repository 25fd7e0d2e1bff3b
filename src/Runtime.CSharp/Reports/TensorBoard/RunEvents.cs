using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CnnSpec.Ir;
using CnnSpec.Operators;
using CnnSpec.Runtime.Runs;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Tensorboard;
using Summary = Tensorboard.Summary;

namespace CnnSpec.Runtime.Reports.TensorBoard;

/// <summary>A run as TensorBoard's events: the graph, the hyperparameters, sample images, a set of scalars an epoch.</summary>
internal static class RunEvents
{
    private const string TestAccuracy = "accuracy/test";

    /// <summary>What is known before the first step.</summary>
    public static IEnumerable<Event> Beginning(Program program, Recipe recipe, byte[]? samples)
    {
        yield return new Event { GraphDef = Graph(program).ToByteString() };
        var settings = Flat("", IrJson.toJson(recipe)).ToDictionary();
        yield return Hyperparameters("experiment", HyperparameterMessages.Experiment(settings, TestAccuracy));
        yield return Hyperparameters("session_start_info", HyperparameterMessages.SessionStart(settings, Now));
        if (samples is not null)
            yield return new Event { Summary = new Summary { Value = { Image("images/augmented", samples) } } };
    }

    public static Event Epoch(EpochMetrics m)
    {
        var summary = new Summary();
        void Add(string tag, double value) =>
            summary.Value.Add(new Summary.Types.Value { Tag = tag, SimpleValue = (float)value });
        Add("loss/train", m.TrainLoss);
        Add("accuracy/train", m.TrainAccuracy);
        if (m.ValidationAccuracy is { } validation)
            Add("accuracy/validation", validation);
        Add("learning_rate", m.LearningRate);
        Add("images_per_second", m.ImagesPerSecond);
        return new Event { Step = m.Epoch, Summary = summary };
    }

    public static IEnumerable<Event> End(Evaluation test, int epochs)
    {
        yield return new Event
        {
            Step = epochs,
            Summary = new Summary
            {
                Value =
                {
                    new Summary.Types.Value { Tag = TestAccuracy, SimpleValue = (float)test.Accuracy },
                },
            },
        };
        yield return Hyperparameters("session_end_info", HyperparameterMessages.SessionEnd(Now));
    }

    private static double Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>Layers under their paths; TensorBoard folds what is before a slash.</summary>
    private static GraphDef Graph(Program program)
    {
        string[] names = [.. program.Nodes.Select(node => node.Path.Replace('.', '/'))];
        var graph = new GraphDef { Versions = new VersionDef { Producer = 22 } };
        int index = 0;
        foreach (var node in program.Nodes)
        {
            var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dim { Size = -1 } } };
            shape.Dim.AddRange(node.Shape.Select(size => new TensorShapeProto.Types.Dim { Size = size }));
            graph.Node.Add(
                new NodeDef
                {
                    Name = names[index++],
                    Op = node.Operator,
                    Input = { node.Inputs.Select(input => names[input]) },
                    Attr =
                    {
                        ["_output_shapes"] = new AttrValue
                        {
                            List = new AttrValue.Types.ListValue { Shape = { shape } },
                        },
                        ["parameters"] = new AttrValue
                        {
                            I = node.Weights.Where(w => w.Trainable).Sum(w => w.Shape.Aggregate(1L, (a, b) => a * b)),
                        },
                    },
                }
            );
        }
        return graph;
    }

    private static Event Hyperparameters(string tag, ByteString message) =>
        new()
        {
            Summary = new Summary
            {
                Value =
                {
                    new Summary.Types.Value
                    {
                        Tag = $"_hparams_/{tag}",
                        Metadata = new SummaryMetadata
                        {
                            PluginData = new SummaryMetadata.Types.PluginData
                            {
                                PluginName = "hparams",
                                Content = message,
                            },
                        },
                    },
                },
            },
        };

    private static Summary.Types.Value Image(string tag, byte[] png)
    {
        var shape = CnnSpec.Data.ImageDecoder.Decode(png, tag).Shape;
        return new Summary.Types.Value
        {
            Tag = tag,
            Image = new Summary.Types.Image
            {
                Height = shape.Height,
                Width = shape.Width,
                Colorspace = shape.Channels,
                EncodedImageString = ByteString.CopyFrom(png),
            },
        };
    }

    /// <summary>The recipe's settings by name: <c>optimizer</c> is <c>Sgd</c>, <c>optimizer.learningRate</c> 0.1.</summary>
    private static IEnumerable<KeyValuePair<string, Value>> Flat(string path, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                return map.SelectMany(entry => Flat(entry.Key == "case" ? path : Joined(path, entry.Key), entry.Value));
            case JsonArray list when list.All(item => item is JsonValue):
                return [KeyValuePair.Create(path, Value.ForString(string.Join(' ', list.Select(item => $"{item}"))))];
            case JsonArray list:
                return list.SelectMany(
                    (item, index) => Flat(Joined(path, index.ToString(CultureInfo.InvariantCulture)), item)
                );
            case JsonValue value:
                return
                [
                    KeyValuePair.Create(
                        path,
                        value.GetValueKind() switch
                        {
                            JsonValueKind.Number => Value.ForNumber(
                                double.Parse(value.ToString(), CultureInfo.InvariantCulture)
                            ),
                            JsonValueKind.True => Value.ForBool(true),
                            JsonValueKind.False => Value.ForBool(false),
                            _ => Value.ForString(value.ToString()),
                        }
                    ),
                ];
            default:
                return [];
        }
    }

    private static string Joined(string path, string name) => path == "" ? name : $"{path}.{name}";
}
