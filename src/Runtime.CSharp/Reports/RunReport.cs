using System.Globalization;
using System.Text;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Runs;

namespace CnnSpec.Runtime.Reports;

/// <summary>
/// <c>report.html</c>: a run on one page that needs nothing else, no script and no network: curves, what is predicted as what,
/// the most confident errors as images, the layers, the drawing, the spec.
/// </summary>
public static class RunReport
{
    public const string FileName = "report.html";

    private const string First = "#2563a8";
    private const string Second = "#d9822b";

    /// <exception cref="EnvironmentError">The disk is full.</exception>
    public static void Write(RunFolder run, DataSet data, Evaluation test)
    {
        byte[] page = Encoding.UTF8.GetBytes(Page(run, data, test));
        AtomicFile.Write(Path.Combine(run.Path, FileName), stream => stream.Write(page));
    }

    private static string Page(RunFolder run, DataSet data, Evaluation test)
    {
        var epochs = run.Epochs;
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Text(run.Program.Network)} on {Text(data.Name)}</title>
            <style>
            {Style()}</style>
            </head>
            <body>
            <main>
            {Header(run, data, test, epochs)}
            {Curves(epochs)}
            <section><h2>Classes</h2><div class="two">{ConfusionTable.Draw(test, run.ClassNames)}{Bars(
                test,
                run.ClassNames
            )}</div></section>
            {Mistakes(test, data, run.ClassNames)}
            {Drawing(run.Program)}
            {LayerTable.Draw(run.Program)}
            <section><details><summary>Spec</summary><pre>{Text(run.Spec.Text)}</pre></details></section>
            <footer>{Text(string.Join(" · ", run.Provenance))}</footer>
            </main>
            </body>
            </html>

            """;
    }

    private static string Header(RunFolder run, DataSet data, Evaluation test, IReadOnlyList<EpochMetrics> epochs)
    {
        var totals = Summary.totals(run.Program);
        (string Name, string Value)[] figures =
        [
            ("test accuracy", Percent(test.Accuracy)),
            ("top-5", Percent(test.Top5Accuracy)),
            ("test loss", Number(test.Loss, "0.0000")),
            ("parameters", Number(totals.Parameters, "N0")),
            ("MACs an image", Number(totals.Macs, "N0")),
            ("epochs", $"{epochs.Count}"),
            ("training time", Duration(epochs.Sum(epoch => epoch.Seconds))),
            ("images a second", epochs.Count > 0 ? Number(epochs.Max(epoch => epoch.ImagesPerSecond), "N0") : "–"),
        ];
        var html = new StringBuilder();
        html.Append(
            $"<header><h1>{Text(run.Program.Network)}</h1><p>{Text(data.Name)}, {Number(test.Images, "N0")} test images"
        );
        foreach (string? note in data.Notes.Append(data.Adaptation))
            if (note is not null)
                html.Append($"; {Text(note)}");
        html.Append("</p></header><div class=\"figures\">");
        foreach (var (name, value) in figures)
            html.Append(
                $"<div class=\"figure{(name == figures[0].Name ? " main" : "")}\"><b>{value}</b><span>{name}</span></div>"
            );
        return html.Append("</div>").ToString();
    }

    private static string Curves(IReadOnlyList<EpochMetrics> epochs)
    {
        if (epochs.Count == 0)
            return "";
        Series Of(string name, string colour, Func<EpochMetrics, double?> value) =>
            new(name, colour, [.. epochs.Select(value)]);
        Series[] losses = [Of("training", First, e => e.TrainLoss), Of("validation", Second, e => e.ValidationLoss)];
        Series[] accuracies =
        [
            Of("training", First, e => 100 * e.TrainAccuracy),
            Of("validation", Second, e => 100 * e.ValidationAccuracy),
        ];
        return "<section><h2>Training</h2><div class=\"charts\">"
            + Chart("Loss", "0.###", losses)
            + Chart("Accuracy, %", "0.##", accuracies)
            + Chart("Learning rate", "G3", [Of("learning rate", First, e => e.LearningRate)])
            + "</div></section>";
    }

    private static string Chart(string title, string format, Series[] series)
    {
        Series[] shown = [.. series.Where(one => one.Values.Any(value => value is not null))];
        string legend =
            shown.Length > 1
                ? string.Concat(shown.Select(one => $"<i style=\"background:{one.Colour}\"></i>{one.Name}"))
                : "";
        return $"<div><h3>{title}</h3><div class=\"legend\">{legend}&nbsp;</div>{LineChart.Draw(title, format, shown)}</div>";
    }

    private static string Bars(Evaluation test, IReadOnlyList<string> classes)
    {
        const int most = 100;
        var html = new StringBuilder("<div>");
        var ordered = classes
            .Select(
                (name, label) => (name, Images: test.Confusion.ImagesOf(label), Right: test.Confusion[label, label])
            )
            .Where(one => one.Images > 0)
            .Select(one => (one.name, Share: (double)one.Right / one.Images))
            .OrderByDescending(one => one.Share)
            .ToArray();
        if (ordered.Length > most)
            html.Append($"<p class=\"note\">The {most} weakest of {Number(ordered.Length, "N0")} classes.</p>");
        foreach (var (name, share) in ordered.TakeLast(most))
            html.Append(
                CultureInfo.InvariantCulture,
                $"<div class=\"bar\"><span>{Text(name)}</span><div><i style=\"width:{100 * share:0.##}%\"></i></div><span>{Percent(share)}</span></div>"
            );
        return html.Append("</div>").ToString();
    }

    private static string Mistakes(Evaluation test, DataSet data, IReadOnlyList<string> classes)
    {
        if (test.Mistakes.Count == 0 || data.Test.Shape.Channels is not (1 or 3))
            return "";
        var html = new StringBuilder("<section><h2>The most confident errors</h2><div class=\"mistakes\">");
        var pixels = new byte[data.Test.Shape.Size];
        foreach (var mistake in test.Mistakes)
        {
            data.Test.Read(mistake.Image, pixels);
            string png = Convert.ToBase64String(ImageDecoder.EncodePng(pixels, data.Test.Shape));
            string guess = mistake.Guess < classes.Count ? classes[mistake.Guess] : $"{mistake.Guess}";
            html.Append(
                $"<figure><img alt=\"\" src=\"data:image/png;base64,{png}\"><b>{Text(classes[mistake.Label])}</b><br>"
                    + $"<span>predicted as</span> {Text(guess)}<br><span>confidence {Number(100 * mistake.Probability, "0.0")} %</span></figure>"
            );
        }
        return html.Append("</div></section>").ToString();
    }

    private static string Drawing(Program program)
    {
        try
        {
            string svg = Graphviz.ToSvg(Dot.write(Figure.draw(0, program)));
            return $"<section><h2>Network</h2><div class=\"graph scroll\">{svg[svg.IndexOf("<svg", StringComparison.Ordinal)..]}</div></section>";
        }
        catch (EnvironmentError)
        {
            return "<section><h2>Network</h2><p class=\"note\">Its drawing needs Graphviz: apt-get install graphviz.</p></section>";
        }
    }

    private static string Style()
    {
        using var stream = typeof(RunReport).Assembly.GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string Duration(double seconds) =>
        seconds switch
        {
            < 120 => $"{Number(seconds, "0.0")} s",
            < 7200 => $"{Number(seconds / 60, "0.0")} min",
            _ => $"{Number(seconds / 3600, "0.0")} h",
        };

    private static string Percent(double share) => Number(100 * share, "0.00") + " %";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Text(string text) => Html.Text(text);
}
