namespace CnnSpec.Cli;

/// <summary>What a command's exit says to a script.</summary>
public static class ExitCode
{
    public const int Fine = 0;

    /// <summary>The spec or the data is wrong.</summary>
    public const int WrongInput = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The machine is at fault: no network, no engine, a full disk.</summary>
    public const int Environment = 3;

    /// <summary>cnnspec itself is wrong.</summary>
    public const int Fault = 70;

    /// <summary>Stopped by Ctrl-C, as shells report it.</summary>
    public const int Interrupted = 130;
}
