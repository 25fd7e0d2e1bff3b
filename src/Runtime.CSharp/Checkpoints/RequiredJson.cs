using System.Text.Json;
using System.Text.Json.Nodes;

namespace CnnSpec.Runtime.Checkpoints;

/// <summary>
/// What a file must hold, or a <see cref="JsonException"/>. Damage is never left to be found as a null reference: where AMX is in use
/// .NET's stack for signals is too small to turn the processor's complaint into an exception, and the process dies.
/// </summary>
internal static class RequiredJson
{
    /// <summary>A name that stands twice in an object would otherwise be found when it is asked for, as another failure.</summary>
    private static readonly JsonDocumentOptions NamesOnce = new() { AllowDuplicateProperties = false };

    /// <exception cref="JsonException">The text is no JSON object, or has a name twice in one.</exception>
    public static JsonObject ParseObject(ReadOnlySpan<byte> text) =>
        JsonNode.Parse(text, documentOptions: NamesOnce) as JsonObject ?? throw new JsonException("no object");

    /// <exception cref="JsonException">It is null or of another kind.</exception>
    public static JsonObject Object(this JsonNode? node) => node as JsonObject ?? throw new JsonException("no object");

    /// <inheritdoc cref="Object"/>
    public static JsonArray Array(this JsonNode? node) => node as JsonArray ?? throw new JsonException("no array");

    /// <inheritdoc cref="Object"/>
    public static T Value<T>(this JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out T? found)
            ? found
            : throw new JsonException("another kind of value");

    /// <exception cref="JsonException">The object lacks it.</exception>
    public static JsonNode Required(this JsonObject json, string key) =>
        json[key] ?? throw new JsonException($"no '{key}'");
}
