using System.CommandLine;
using System.CommandLine.Parsing;
using CnnSpec;
using CnnSpec.Cli.Commands;
using CnnSpec.Cli.Output;
using CnnSpec.Runtime;

namespace CnnSpec.Cli;

/// <summary>The command line: every command, and what becomes of its mistakes and of failures that are foreseen.</summary>
internal static class CommandLine
{
    /// <returns>The exit code.</returns>
    public static int Run(string[] args)
    {
        SafeStreams.Install();
        var root = new RootCommand(
            "A text file says what a convolutional network is; cnnspec proves that it fits and trains it."
        )
        {
            CheckCommand.Create(),
            SummaryCommand.Create(),
            GraphCommand.Create(),
            IrCommand.Create(),
            NewCommand.Create(),
            ExplainCommand.Create(),
            FmtCommand.Create(),
            ConvertCommand.Create(),
            TrainCommand.Create(),
            BenchCommand.Create(),
            EvalCommand.Create(),
            PredictCommand.Create(),
            ExportCommand.Create(),
            DataCommand.Create(),
        };

        ProcessTuning.Apply();
        try
        {
            ExampleHelp.Install(root);
            EmptyArguments.Refuse(root);
            var result = root.Parse(args.Length > 0 ? args : ["--help"]);
            if (result.Errors.Count > 0 && result.Action is not ExampleHelp)
            {
                foreach (var error in result.Errors)
                    Terminal.Error(error.Message);
                string command = "";
                for (
                    SymbolResult? at = result.CommandResult;
                    at is CommandResult { Command: not RootCommand } one;
                    at = one.Parent
                )
                    command = $"{one.Command.Name} {command}";
                Terminal.Note($"help: cnnspec {command}--help shows what it takes");
                return ExitCode.Usage;
            }
            return result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (UserError error)
        {
            return Terminal.Fail(error);
        }
        catch (OperationCanceledException)
        {
            Terminal.Note("stopped; nothing half-done was kept");
            return ExitCode.Interrupted;
        }
    }
}
