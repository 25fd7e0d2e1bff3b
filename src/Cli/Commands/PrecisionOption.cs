using System.CommandLine;
using CnnSpec.Runtime.Networks;
using static TorchSharp.torch;

namespace CnnSpec.Cli.Commands;

/// <summary><c>--precision auto|fp32|bf16</c>.</summary>
internal static class PrecisionOption
{
    public static Option<string> Create()
    {
        var option = new Option<string>("--precision")
        {
            Description = "Of activations: fp32, bf16, or auto, which is bf16 where the device computes in it",
            DefaultValueFactory = _ => "auto",
        };
        option.AcceptOnlyFromAmong("auto", "fp32", "bf16");
        return option;
    }

    public static Precision Read(ParseResult arguments, Option<string> option, Device device) =>
        arguments.GetValue(option) switch
        {
            "fp32" => Precision.Float32,
            "bf16" => Precision.BFloat16,
            _ => ProcessorPrecision.BestOn(device),
        };

    public static string NameOf(Precision precision) => precision == Precision.BFloat16 ? "bf16" : "fp32";
}
