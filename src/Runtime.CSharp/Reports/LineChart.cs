using System.Globalization;
using System.Text;

namespace CnnSpec.Runtime.Reports;

/// <summary>A line of a chart: a value an epoch; null where there is none.</summary>
internal sealed record Series(string Name, string Colour, IReadOnlyList<double?> Values);

/// <summary>Curves over the epochs as an SVG that needs nothing else.</summary>
internal static class LineChart
{
    private const double Width = 420;
    private const double Height = 250;
    private const double Left = 52;
    private const double Right = 12;
    private const double Top = 14;
    private const double Bottom = 30;

    /// <param name="format">How the vertical axis writes its numbers.</param>
    public static string Draw(string title, string format, IReadOnlyList<Series> series)
    {
        double[] values = [.. series.SelectMany(s => s.Values).OfType<double>().Where(double.IsFinite)];
        int epochs = series.Max(s => s.Values.Count);
        if (values.Length == 0)
            return "";
        var ticks = Ticks(values.Min(), values.Max());
        double low = Math.Min(ticks[0], values.Min());
        double high = Math.Max(ticks[^1], values.Max());
        double X(int epoch) => Left + (Width - Left - Right) * (epochs == 1 ? 0.5 : (double)epoch / (epochs - 1));
        double Y(double value) => Height - Bottom - (Height - Top - Bottom) * (value - low) / (high - low);

        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg class=\"chart\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Html.Text(title)}\">"
        );
        foreach (double tick in ticks)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):0.##}\" y2=\"{Y(tick):0.##}\"/>"
            );
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text class=\"tick\" x=\"{Left - 7}\" y=\"{Y(tick) + 3.5:0.##}\" text-anchor=\"end\">{tick.ToString(format, CultureInfo.InvariantCulture)}</text>"
            );
        }
        foreach (int epoch in EpochTicks(epochs))
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text class=\"tick\" x=\"{X(epoch - 1):0.##}\" y=\"{Height - 10}\" text-anchor=\"middle\">{epoch}</text>"
            );
        foreach (var one in series)
        {
            var points = one
                .Values.Select((value, epoch) => (value, epoch))
                .Where(point => point.value is { } value && double.IsFinite(value))
                .Select(point => (X: X(point.epoch), Y: Y(point.value!.Value), point.epoch, Value: point.value.Value))
                .ToArray();
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<polyline fill=\"none\" stroke=\"{one.Colour}\" stroke-width=\"1.8\" stroke-linejoin=\"round\" points=\""
            );
            svg.AppendJoin(
                ' ',
                points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.##},{p.Y:0.##}"))
            );
            svg.Append("\"/>");
            foreach (var p in points)
                svg.Append(
                    CultureInfo.InvariantCulture,
                    $"<circle cx=\"{p.X:0.##}\" cy=\"{p.Y:0.##}\" r=\"{(points.Length > 60 ? 1.2 : 2.6)}\" fill=\"{one.Colour}\"><title>epoch {p.epoch + 1}: {one.Name} {p.Value.ToString(format, CultureInfo.InvariantCulture)}</title></circle>"
                );
        }
        return svg.Append("</svg>").ToString();
    }

    /// <summary>Three to six round numbers from one below the least value to one above the greatest.</summary>
    private static double[] Ticks(double least, double most)
    {
        if (most - least < 1e-12)
            (least, most) = (least - Math.Abs(least) * 0.5 - 1e-6, most + Math.Abs(most) * 0.5 + 1e-6);
        double rough = (most - least) / 4;
        double magnitude = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = new[] { 1.0, 2, 2.5, 5, 10 }.First(factor => factor * magnitude >= rough) * magnitude;
        double first = Math.Floor(least / step);
        double last = Math.Ceiling(most / step);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }

    private static IEnumerable<int> EpochTicks(int epochs)
    {
        int step = new[] { 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000 }.First(s => epochs <= 8 * s || s == 1000);
        return Enumerable.Range(1, epochs).Where(epoch => epoch % step == 0 || epoch == 1);
    }
}
