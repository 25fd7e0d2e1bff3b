using CnnSpec.Cli;

// Nothing else is loaded before this: what cannot be loaded is a failure with words like any other.
if (!OpenFiles.AreEnough())
    return ExitCode.Environment;
try
{
    return CommandLine.Run(args);
}
catch (Exception fault)
{
    return Fault.Report(fault);
}
