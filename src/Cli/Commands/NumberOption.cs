using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace CnnSpec.Cli.Commands;

/// <summary>
/// Numbers on the command line: one way to read them, whatever the locale, and one table of what each option takes, which
/// its help shows.
/// </summary>
internal static class NumberOption
{
    /// <summary>Beyond these a number is a slip of the pen, or asks for what no machine has.</summary>
    private static readonly Dictionary<string, (double Least, double Most)> Ranges = new()
    {
        ["--epochs"] = (1, 1_000_000),
        ["--batch"] = (1, 65_536),
        ["--lr"] = (1e-12, 1e30),
        ["--seed"] = (0, long.MaxValue),
        ["--limit"] = (1, int.MaxValue),
        ["--save-every"] = (0.001, 86_400),
        ["--overfit-batch"] = (1, 1_000_000),
        ["--threads"] = (1, 1_024),
        ["--steps"] = (1, 1_000_000),
        ["--count"] = (1, 10_000),
        ["--skip-damaged"] = (0, 1_000_000),
        ["--top"] = (1, 1_000_000),
        ["--depth"] = (0, 1_000),
    };

    /// <typeparam name="T">A whole number or a double, or one of them that may be unsaid.</typeparam>
    public static Option<T> Create<T>(string name, string description)
    {
        var kind = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
        bool isWhole = kind != typeof(double);
        var (least, most) = Ranges[name];
        string range = most is int.MaxValue or long.MaxValue
            ? $"{Shown(least)} or more"
            : $"{Shown(least)} to {Shown(most)}";
        return new Option<T>(name)
        {
            Description = $"{description} ({range})",
            HelpName = "N",
            CustomParser = Parse,
        };

        T? Parse(ArgumentResult result)
        {
            if (result.Tokens is not [var token])
                return default;
            object? number = isWhole ? Whole(token.Value) : Real(token.Value);
            if (number is null)
                result.AddError(
                    isWhole
                        ? $"{name} takes a whole number of plain digits, as in 20, and '{token.Value}' is none"
                        : $"{name} takes a number with a point before its decimals, as in 0.05 or 5e-2, and '{token.Value}' is none"
                );
            else if (Convert.ToDouble(number) < least || Convert.ToDouble(number) > most)
                result.AddError($"{name} takes {range}, and {token.Value} is outside");
            else
                return (T)Convert.ChangeType(number, kind, CultureInfo.InvariantCulture);
            return default;
        }
    }

    /// <summary>Digits and a sign; no spaces, no thousands.</summary>
    private static long? Whole(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : null;

    /// <summary>The same with a point and an exponent.</summary>
    private static double? Real(string text) =>
        double.TryParse(
            text,
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture,
            out double value
        ) && double.IsFinite(value)
            ? value
            : null;

    private static string Shown(double value) =>
        value.ToString(value is >= 0.001 and < 1e15 or 0 ? "#,0.###" : "0.###e0", CultureInfo.InvariantCulture);
}
