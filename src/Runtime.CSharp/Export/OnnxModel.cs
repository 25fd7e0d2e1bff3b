using System.Globalization;
using System.Text.Json;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using Onnx;

namespace CnnSpec.Runtime.Export;

/// <summary>What an ONNX file holds beside the network.</summary>
/// <param name="Folds">Batch norm is folded into the convolution before it.</param>
/// <param name="Preprocesses">It takes bytes from 0 to 255 and scales them itself.</param>
/// <param name="Softmax">It gives probabilities instead of logits.</param>
/// <param name="Scaling">How training scaled pixels; null where they stay from 0 to 1.</param>
/// <param name="ClassNames">In the order of the outputs; empty where they are not known.</param>
public sealed record OnnxOptions(
    bool Folds = false,
    bool Preprocesses = false,
    bool Softmax = false,
    ChannelStatistics? Scaling = null,
    IReadOnlyList<string>? ClassNames = null
);

/// <summary>A program and its weights as an ONNX model, as the network is in evaluation.</summary>
public static class OnnxModel
{
    /// <summary>What Debian 12's, Ubuntu 24.04's and all later runtimes and checkers read.</summary>
    private const int Opset = 17;
    private const int IrVersion = 8;

    /// <param name="weight">A weight by its whole name.</param>
    /// <exception cref="InputError">The options do not go with the network.</exception>
    internal static ModelProto Of(Program program, Func<string, StoredTensor> weight, OnnxOptions options)
    {
        var graph = new OnnxGraph(program.Network);
        bool isImage = program.Input.Length == 3;
        string input = graph.Unique(isImage ? "images" : "features");
        string value = Preprocessed(graph, input, program, options);
        string output = Finished(graph, Body(graph, value, program, weight, options), input, program, options);
        graph.Proto.Input.Add(
            Batch(
                input,
                options.Preprocesses ? TensorProto.Types.DataType.Uint8 : TensorProto.Types.DataType.Float,
                program.Input
            )
        );
        graph.Proto.Output.Add(Batch(output, TensorProto.Types.DataType.Float, ProgramModule.outputShape(program)));
        var model = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "cnnspec",
            ProducerVersion = typeof(OnnxModel).Assembly.GetName().Version!.ToString(3),
            Graph = graph.Proto,
            OpsetImport =
            {
                new OperatorSetIdProto { Domain = "", Version = Opset },
            },
        };
        foreach (var (key, said) in Metadata(options))
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = said });
        return model;
    }

    /// <summary>All layers that are there in evaluation.</summary>
    /// <returns>The value that the network gives.</returns>
    private static string Body(
        OnnxGraph graph,
        string input,
        Program program,
        Func<string, StoredTensor> weight,
        OnnxOptions options
    )
    {
        IrNode[] nodes = [.. program.Nodes];
        var folding = options.Folds ? FoldedNorms.Of(program, weight) : FoldedNorms.None(weight);
        var values = new string[nodes.Length];
        for (int i = 0; i < nodes.Length; i++)
        {
            var node = nodes[i];
            if (node.TrainingOnly)
                continue;
            int[] inputs = [.. node.Inputs];
            values[i] =
                node.Op.IsInput ? input
                : folding.IsFolded(i) ? values[inputs[0]]
                : OnnxOperations.Emit(
                    new OnnxLayer(
                        graph,
                        folding.WithBias(node, i),
                        [.. inputs.Select(from => values[from])],
                        [.. inputs.Select(from => (long[])[.. nodes[from].Shape])],
                        folding.Weight
                    )
                );
        }
        return values[program.Output];
    }

    /// <summary>Pixels as training scaled them.</summary>
    private static string Preprocessed(OnnxGraph graph, string input, Program program, OnnxOptions options)
    {
        if (!options.Preprocesses)
            return input;
        if (program.Input.Length != 3)
            throw new InputError("this network takes features, not images", "leave --preprocess out");
        int channels = (int)program.Input.Head;
        var scaling = options.Scaling ?? ChannelStatistics.Identity(channels);
        string Of(string name, Func<int, float> number) =>
            graph.Constant($"preprocess.{name}", [.. Enumerable.Range(0, channels).Select(number)], channels, 1, 1);
        string floats = graph.Add(
            "Cast",
            "preprocess",
            [input],
            OnnxAttribute.Of("to", (long)TensorProto.Types.DataType.Float)
        );
        string centred = graph.Add("Sub", "preprocess", [floats, Of("mean", c => 255 * scaling.Mean[c])]);
        return graph.Add("Div", "preprocess", [centred, Of("deviation", c => 255 * scaling.Deviation[c])]);
    }

    /// <summary>Softmax where it is asked for, and a name that says what the values are.</summary>
    private static string Finished(OnnxGraph graph, string value, string input, Program program, OnnxOptions options)
    {
        var last = program.Nodes[program.Output].Op;
        bool isVector = ProgramModule.outputShape(program).Length == 1;
        if (options.Softmax)
        {
            if (!isVector || last.IsSoftmax || last.IsLogSoftmax)
                throw new InputError(
                    isVector ? "the network ends with softmax already" : "the network gives no number for each class",
                    "leave --softmax out"
                );
            value = graph.Add("Softmax", "softmax", [value], OnnxAttribute.Of("axis", 1L));
        }
        string name =
            options.Softmax || last.IsSoftmax ? "probabilities"
            : last.IsLogSoftmax ? "log_probabilities"
            : isVector ? "logits"
            : "output";
        if (value == input)
            value = graph.Add("Identity", "identity", [value]);
        return graph.Rename(value, name);
    }

    private static ValueInfoProto Batch(string name, TensorProto.Types.DataType type, IEnumerable<long> shape)
    {
        var sizes = new TensorShapeProto();
        sizes.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "batch" });
        foreach (long size in shape)
            sizes.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto
            {
                TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = sizes },
            },
        };
    }

    /// <summary>What a program that uses the file must know, and could not see.</summary>
    private static IEnumerable<(string Key, string Value)> Metadata(OnnxOptions options)
    {
        if (options.ClassNames is { Count: > 0 } names)
            yield return ("class_names", JsonSerializer.Serialize(names));
        yield return (
            "pixels",
            options.Preprocesses ? "0 to 255"
            : options.Scaling is null ? "0 to 1"
            : "scaled"
        );
        if (options.Scaling is { } scaling && !options.Preprocesses)
        {
            yield return ("mean", Numbers(scaling.Mean));
            yield return ("deviation", Numbers(scaling.Deviation));
        }
    }

    private static string Numbers(IEnumerable<float> values) =>
        string.Join(' ', values.Select(value => value.ToString(CultureInfo.InvariantCulture)));
}
