using CnnSpec.Text;

namespace CnnSpec;

/// <summary>How bad a diagnostic is.</summary>
public enum SpecSeverity
{
    /// <summary>The network cannot be built.</summary>
    Error,

    /// <summary>It can, and is probably not what was meant.</summary>
    Warning,
}

/// <summary>One thing that the compiler has to say about a spec.</summary>
/// <param name="Code">Stable, such as <c>E0301</c>; <c>cnnspec explain CODE</c> and docs/errors have a page of each.</param>
/// <param name="Severity">Whether the network can be built.</param>
/// <param name="Message">One line, no full stop: what is wrong.</param>
/// <param name="Place">Where.</param>
/// <param name="Notes">The arithmetic or the story that led here, in whole sentences.</param>
/// <param name="Help">The one action that mends it; null where there is none.</param>
/// <param name="Rendered">All of it as the command line shows it, with the lines of the spec.</param>
public sealed record SpecDiagnostic(
    string Code,
    SpecSeverity Severity,
    string Message,
    SpecPlace Place,
    IReadOnlyList<string> Notes,
    string? Help,
    string Rendered
)
{
    internal static SpecDiagnostic Of(Diagnostic diagnostic) =>
        new(
            diagnostic.Code,
            diagnostic.Severity.IsError ? SpecSeverity.Error : SpecSeverity.Warning,
            diagnostic.Message,
            SpecPlace.Of(diagnostic.Primary.Span),
            [.. diagnostic.Notes],
            diagnostic.Help?.Value,
            Render.diagnostic(Render.plain, diagnostic)
        );

    /// <summary>As the command line shows it.</summary>
    public override string ToString() => Rendered;
}

/// <summary>A stretch of a spec. Lines and columns count from 1; the end is behind the last character.</summary>
/// <param name="File">The file's path as it was given, or that of the import.</param>
/// <param name="Line">Of the first character.</param>
/// <param name="Column">Of the first character.</param>
/// <param name="EndLine">Of the end.</param>
/// <param name="EndColumn">Of the end.</param>
public sealed record SpecPlace(string File, int Line, int Column, int EndLine, int EndColumn)
{
    internal static SpecPlace Of(Span span)
    {
        var start = SpanModule.start(span);
        var end = SpanModule.finish(span);
        return new SpecPlace(span.Source.Path, start.Line, start.Column, end.Line, end.Column);
    }

    /// <summary><c>file:line:column</c>.</summary>
    public override string ToString() => $"{File}:{Line}:{Column}";
}
