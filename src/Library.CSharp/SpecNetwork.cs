using System.Globalization;
using System.Text;
using CnnSpec.Ir;

namespace CnnSpec;

/// <summary>A network that fits: every shape is known. The package CnnSpec.TorchSharp builds it.</summary>
public sealed class SpecNetwork
{
    internal SpecNetwork(Compile.Network network, string path, string text)
    {
        (Program, Recipes, Path, Text) = (network.Program, [.. network.Recipes], path, text);
        Layers = [.. Ir.Summary.layers(Program).Select(SpecLayer.Of)];
        var totals = Ir.Summary.totals(Program);
        (Parameters, Macs) = (totals.Parameters, totals.Macs);
    }

    internal Program Program { get; }
    internal IReadOnlyList<Recipe> Recipes { get; }

    /// <summary>The recipe of a spec that has none.</summary>
    internal static Recipe Fallback(DataSource data) => Elaborate.Recipes.fallback(data);

    /// <summary>A recipe on other data, of which the same share validates.</summary>
    internal static Recipe OnData(DataSource data, Recipe recipe) => Elaborate.Recipes.onData(data, recipe);

    internal string Path { get; }
    internal string Text { get; }

    /// <summary>As the spec calls it.</summary>
    public string Name => Program.Network;

    /// <summary><c>[C, H, W]</c>, without the batch.</summary>
    public IReadOnlyList<long> Input => [.. Program.Input];

    /// <summary>Without the batch: <c>[classes]</c>, or whatever the network gives.</summary>
    public IReadOnlyList<long> Output => [.. ProgramModule.outputShape(Program)];

    /// <summary>Trainable numbers, auxiliary heads included.</summary>
    public long Parameters { get; }

    /// <summary>Multiply-accumulates for one image in evaluation.</summary>
    public long Macs { get; }

    /// <summary>In the order in which they run.</summary>
    public IReadOnlyList<SpecLayer> Layers { get; }

    /// <summary>The names of the spec's training recipes; the empty name is that of <c>train { … }</c> without one.</summary>
    public IReadOnlyList<string> RecipeNames => [.. Recipes.Select(recipe => recipe.Name)];

    /// <summary>A table of the layers: name, operator, output shape, parameters, MACs.</summary>
    public string Summary()
    {
        string[][] rows =
        [
            ["layer", "operator", "output", "parameters", "MACs"],
            .. Layers.Select(layer =>
                new[]
                {
                    layer.Name + (layer.TrainingOnly ? " (training only)" : ""),
                    layer.Operator,
                    string.Join("x", layer.Output),
                    Number(layer.Parameters),
                    Number(layer.Macs),
                }
            ),
        ];
        int[] widths = [.. Enumerable.Range(0, 5).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        foreach (string[] row in rows)
            text.AppendLine(
                string.Join("  ", row.Select((cell, i) => i < 3 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])))
                    .TrimEnd()
            );
        return text.Append(
                CultureInfo.InvariantCulture,
                $"{Name}: {string.Join("x", Input)} -> {string.Join("x", Output)}, {Parameters:N0} parameters, {Macs:N0} MACs"
            )
            .ToString();
    }

    private static string Number(long value) => value == 0 ? "" : value.ToString("N0", CultureInfo.InvariantCulture);
}

/// <summary>A layer of a network.</summary>
/// <param name="Name">Its path, which its weights' names begin with: <c>layer1.0.conv1</c>.</param>
/// <param name="Operator">The spec's word for it: <c>conv</c>, <c>add</c>.</param>
/// <param name="Output">The shape of what it gives, without the batch.</param>
/// <param name="Parameters">Trainable numbers.</param>
/// <param name="Macs">Multiply-accumulates for one image.</param>
/// <param name="Line">Where the spec says so.</param>
/// <param name="TrainingOnly">Part of an auxiliary head.</param>
public sealed record SpecLayer(
    string Name,
    string Operator,
    IReadOnlyList<long> Output,
    long Parameters,
    long Macs,
    int Line,
    bool TrainingOnly
)
{
    internal static SpecLayer Of(Summary.Layer layer) =>
        new(
            layer.Path,
            layer.Operator,
            [.. layer.Output],
            layer.Parameters,
            layer.Macs,
            layer.Line,
            layer.TrainingOnly
        );
}
