using System.Globalization;
using System.Text;
using CnnSpec.Runtime.Runs;

namespace CnnSpec.Runtime.Reports;

/// <summary>Which classes are predicted as which: a table of few classes, the commonest confusions of many.</summary>
internal static class ConfusionTable
{
    private const int MostInTable = 20;
    private const int MostPairs = 20;

    /// <summary>Longer names stand upright above their column.</summary>
    private const int LongestUpright = 4;

    public static string Draw(Evaluation test, IReadOnlyList<string> classes) =>
        classes.Count <= MostInTable ? Table(test.Confusion, classes) : Pairs(test.Confusion, classes);

    private static string Table(Confusion confusion, IReadOnlyList<string> classes)
    {
        var html = new StringBuilder("<div class=\"scroll\"><table class=\"confusion\"><thead><tr><th></th>");
        bool turned = classes.Any(name => name.Length > LongestUpright);
        foreach (string name in classes)
            html.Append($"<th>{(turned ? "<span>" : "")}{Html.Text(name)}{(turned ? "</span>" : "")}</th>");
        html.Append("</tr></thead><tbody>");
        for (int label = 0; label < classes.Count; label++)
        {
            html.Append($"<tr><th>{Html.Text(classes[label])}</th>");
            int total = Math.Max(1, confusion.ImagesOf(label));
            for (int guess = 0; guess < classes.Count; guess++)
            {
                int count = confusion[label, guess];
                double share = (double)count / total;
                html.Append(
                    CultureInfo.InvariantCulture,
                    $"<td style=\"background:{Shade(share, label == guess)};color:{(share > 0.55 ? "#fff" : "#1d2733")}\">{(count == 0 ? "" : count)}</td>"
                );
            }
            html.Append("</tr>");
        }
        return html.Append(
                "</tbody></table><p class=\"note\">Rows are what an image shows, columns what it was predicted as.</p></div>"
            )
            .ToString();
    }

    private static string Pairs(Confusion confusion, IReadOnlyList<string> classes)
    {
        var html = new StringBuilder(
            "<div><table class=\"layers\"><thead><tr><th>shows</th><th>predicted as</th><th class=\"n\">images</th></tr></thead><tbody>"
        );
        foreach (var (label, guess, count) in confusion.Mistakes.Take(MostPairs))
            html.Append(
                $"<tr><td>{Html.Text(classes[label])}</td><td>{Html.Text(classes[guess])}</td><td class=\"n\">{count}</td></tr>"
            );
        return html.Append("</tbody></table></div>").ToString();
    }

    /// <summary>White to blue where it is right, white to orange where it is wrong, which a few percent show already.</summary>
    private static string Shade(double share, bool right)
    {
        double strength = right ? share : Math.Min(1, 4 * share);
        var (red, green, blue) = right ? (37, 99, 168) : (217, 130, 43);
        int Mix(int colour) => (int)Math.Round(255 + (colour - 255) * strength);
        return $"rgb({Mix(red)},{Mix(green)},{Mix(blue)})";
    }
}
