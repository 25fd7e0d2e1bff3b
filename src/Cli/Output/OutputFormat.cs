using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CnnSpec.Cli.Output;

/// <summary><c>--format text|json</c>.</summary>
public static class OutputFormat
{
    public static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Option<string> Option()
    {
        var option = new Option<string>("--format")
        {
            Description = "text for people, json for scripts",
            DefaultValueFactory = _ => "text",
        };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    public static JsonArray Numbers(IEnumerable<long> values) => new([.. values.Select(value => (JsonNode)value)]);
}
