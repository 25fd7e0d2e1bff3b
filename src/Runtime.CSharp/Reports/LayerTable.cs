using System.Globalization;
using System.Text;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Reports;

/// <summary>A network layer by layer, as <c>cnnspec summary</c> shows it, in HTML.</summary>
internal static class LayerTable
{
    public static string Draw(Program program)
    {
        var html = new StringBuilder(
            """
            <section><details><summary>Layers</summary><div class="scroll"><table class="layers"><thead><tr><th>layer</th><th>operation</th>
            <th>output</th><th class="n">parameters</th><th class="n">MACs</th><th class="n">receptive field</th></tr></thead><tbody>
            """
        );
        foreach (var layer in Summary.layers(program))
        {
            string field = layer.ReceptiveField is { Value: var (height, width) } ? $"{height}×{width}" : "all";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<tr{(layer.TrainingOnly ? " class=\"training\"" : "")}><td>{Html.Text(layer.Path)}</td><td>{layer.Operator}</td>"
            );
            html.Append(
                CultureInfo.InvariantCulture,
                $"<td>{string.Join('×', layer.Output)}</td><td class=\"n\">{Count(layer.Parameters)}</td><td class=\"n\">{Count(layer.Macs)}</td><td class=\"n\">{field}</td></tr>"
            );
        }
        var totals = Summary.totals(program);
        html.Append(
            CultureInfo.InvariantCulture,
            $"</tbody><tfoot><tr><td>total</td><td></td><td></td><td class=\"n\">{totals.Parameters:N0}</td><td class=\"n\">{totals.Macs:N0}</td><td></td></tr></tfoot></table></div></details></section>"
        );
        return html.ToString();
    }

    private static string Count(long count) => count == 0 ? "" : count.ToString("N0", CultureInfo.InvariantCulture);
}
