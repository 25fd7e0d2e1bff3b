using System.Text.Json.Nodes;
using CnnSpec.Text;

namespace CnnSpec.Cli.Output;

/// <summary>Diagnostics as data for editors and scripts. Lines and columns count from 1.</summary>
public static class DiagnosticJson
{
    public static JsonArray Of(IEnumerable<Diagnostic> diagnostics) =>
        new([.. diagnostics.Select(diagnostic => (JsonNode)Of(diagnostic))]);

    private static JsonObject Of(Diagnostic diagnostic) =>
        new()
        {
            ["code"] = diagnostic.Code,
            ["severity"] = diagnostic.Severity.IsError ? "error" : "warning",
            ["message"] = diagnostic.Message,
            ["span"] = Of(diagnostic.Primary.Span),
            ["label"] = diagnostic.Primary.Text,
            ["related"] = new JsonArray([
                .. diagnostic.Related.Select(label =>
                    (JsonNode)new JsonObject { ["span"] = Of(label.Span), ["text"] = label.Text }
                ),
            ]),
            ["notes"] = new JsonArray([.. diagnostic.Notes.Select(note => (JsonNode)note)]),
            ["help"] = diagnostic.Help?.Value,
        };

    private static JsonObject Of(Span span)
    {
        var start = SpanModule.start(span);
        var end = SpanModule.finish(span);
        return new JsonObject
        {
            ["file"] = span.Source.Path,
            ["line"] = start.Line,
            ["column"] = start.Column,
            ["end_line"] = end.Line,
            ["end_column"] = end.Column,
        };
    }
}
