using System.CommandLine;
using CnnSpec.Cli;
using CnnSpec.Cli.Commands;
using CnnSpec.Cli.Output;
using CnnSpec.Runtime;

var root = new RootCommand(
    "A text file says what a convolutional network is; cnnspec proves that it fits and trains it."
)
{
    CheckCommand.Create(),
    FmtCommand.Create(),
    ConvertCommand.Create(),
    TrainCommand.Create(),
    EvalCommand.Create(),
    PredictCommand.Create(),
    DataCommand.Create(),
};

try
{
    var result = root.Parse(args);
    int code = result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    return result.Errors.Count > 0 ? ExitCode.Usage : code;
}
catch (UserError error)
{
    return Terminal.Fail(error);
}
