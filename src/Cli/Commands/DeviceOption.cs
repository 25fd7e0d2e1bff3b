using System.CommandLine;
using System.Text.RegularExpressions;
using CnnSpec.Runtime;
using CnnSpec.Runtime.Networks;
using static TorchSharp.torch;

namespace CnnSpec.Cli.Commands;

/// <summary><c>--device auto|cpu|cuda|cuda:N</c>.</summary>
internal static partial class DeviceOption
{
    public static Option<string> Create()
    {
        var option = new Option<string>("--device")
        {
            Description = "Where to compute: cpu, cuda, cuda:1, or auto, which is a GPU where libtorch sees one",
            HelpName = "auto|cpu|cuda[:N]",
            DefaultValueFactory = _ => "auto",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !Form().IsMatch(result.Tokens[0].Value))
                result.AddError($"--device: '{result.Tokens[0].Value}' is no device: use auto, cpu, cuda or cuda:1");
        });
        return option;
    }

    /// <exception cref="EnvironmentError">There is no such device.</exception>
    public static Device Read(ParseResult arguments, Option<string> option) =>
        EngineSetup.Find(arguments.GetValue(option)!);

    [GeneratedRegex(@"^(auto|cpu|cuda(:\d{1,3})?)$")]
    private static partial Regex Form();
}
