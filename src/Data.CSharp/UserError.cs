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
public sealed class InputError(string message, string help, Exception? inner = null) : UserError(message, help, inner)
{
    /// <summary>A head that is not as wide as the data have classes.</summary>
    /// <param name="whose">Of the data, up to the verb: "mnist has".</param>
    public static InputError OtherClasses(string whose, long classes, long outputs) =>
        new(
            $"{whose} {classes} classes, and the network's head gives {outputs}",
            $"let the last layer have {classes} outputs, as in --set classes={classes} where the spec has that parameter"
        );
}

/// <summary>The machine is at fault: no network, no engine, a full disk. The command line exits with 3.</summary>
public sealed class EnvironmentError(string message, string help, Exception? inner = null)
    : UserError(message, help, inner);
