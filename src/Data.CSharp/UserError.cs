namespace CnnSpec;

/// <summary>A failure that the user can mend: a message that names the file, and what to do about it.</summary>
/// <param name="message">What is wrong, naming the file or setting.</param>
/// <param name="help">The one action that mends it.</param>
public abstract class UserError(string message, string help, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The one action that mends it.</summary>
    public string Help { get; } = help;
}

/// <summary>The spec, the data or a checkpoint is wrong. The command line exits with 1.</summary>
public class InputError(string message, string help, Exception? inner = null) : UserError(message, help, inner);

/// <summary>The machine is at fault: no network, no engine, a full disk. The command line exits with 3.</summary>
public sealed class EnvironmentError(string message, string help, Exception? inner = null)
    : UserError(message, help, inner);
