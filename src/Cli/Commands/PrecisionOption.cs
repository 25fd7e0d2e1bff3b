using System.CommandLine;
using System.Globalization;
using CnnSpec.Cli.Output;
using CnnSpec.Runtime.Benchmarks;
using CnnSpec.Runtime.Networks;

namespace CnnSpec.Cli.Commands;

/// <summary><c>--precision auto|fp32|bf16</c>.</summary>
internal static class PrecisionOption
{
    public static Option<string> Create()
    {
        var option = new Option<string>("--precision")
        {
            Description = "Of activations: fp32, bf16, or auto, the faster for this network on this machine",
            DefaultValueFactory = _ => "auto",
        };
        option.AcceptOnlyFromAmong("auto", "fp32", "bf16");
        return option;
    }

    /// <summary>The precision that was asked for, or the faster of both for this network on this machine.</summary>
    public static Precision Read(ParseResult arguments, Option<string> option, Func<PrecisionChoice> faster) =>
        arguments.GetValue(option) switch
        {
            "fp32" => Precision.Float32,
            "bf16" => Precision.BFloat16,
            _ => Told(faster()),
        };

    private static Precision Told(PrecisionChoice choice)
    {
        if (choice.Measured is { } ratio)
            Terminal.Note(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"note: activations are {NameOf(choice.Precision)}: for this network on this machine bf16 is {ratio:0.0#} times as fast as fp32"
                )
            );
        return choice.Precision;
    }

    public static string NameOf(Precision precision) => precision == Precision.BFloat16 ? "bf16" : "fp32";
}
