using System.CommandLine;
using CnnSpec.Cli.Output;
using CnnSpec.Ir;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec ir</c>: what the runtime gets, as JSON.</summary>
public static class IrCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The spec" };
        var spec = new SpecOptions();
        var command = new Command(
            "ir",
            """
            Print a network's expanded intermediate representation as JSON.

            Example:
              cnnspec ir specs/resnet.cnn
            """
        );
        command.Arguments.Add(file);
        spec.AddTo(command);
        command.SetAction(result =>
        {
            if (Specs.Fitting(result.GetValue(file)!, spec.Read(result)) is not var (network, _))
                return ExitCode.WrongInput;
            Terminal.Result(IrJson.toJson(network.Program).ToJsonString(OutputFormat.Indented));
            return ExitCode.Fine;
        });
        return command;
    }
}
