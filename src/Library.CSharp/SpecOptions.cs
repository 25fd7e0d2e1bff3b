namespace CnnSpec;

/// <summary>What a program changes in a spec when it compiles it, and where imports come from.</summary>
public sealed class SpecOptions
{
    /// <summary>
    /// Parameters of the network, by name. Numbers, texts of the language (<c>"relu"</c>, <c>"[16, 32]"</c>) and booleans are
    /// written as a spec has them.
    /// </summary>
    public IReadOnlyDictionary<string, object> Set { get; init; } = new Dictionary<string, object>();

    /// <summary>Channels, height and width instead of the spec's own; null for those.</summary>
    public IReadOnlyList<long>? Input { get; init; }

    /// <summary>
    /// The bytes of an imported file by its path, or null where there is none. Unset, files are read from the disk, beside
    /// the spec that imports them.
    /// </summary>
    public Func<string, byte[]?>? Import { get; init; }
}
