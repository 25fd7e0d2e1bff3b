using System.CommandLine;
using System.Globalization;

namespace CnnSpec.Cli.Commands;

/// <summary>An option that takes a number above zero.</summary>
internal static class PositiveOption
{
    public static Option<T> Create<T>(string name, string description)
    {
        var option = new Option<T>(name) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (!double.TryParse(token.Value, CultureInfo.InvariantCulture, out double value) || value <= 0)
                    result.AddError($"{name} takes a positive number, and '{token.Value}' is none");
        });
        return option;
    }
}
