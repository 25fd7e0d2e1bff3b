namespace CnnSpec;

/// <summary>A network was asked of a spec that has errors.</summary>
public sealed class SpecException(IReadOnlyList<SpecDiagnostic> diagnostics)
    : Exception(string.Join(Environment.NewLine, diagnostics.Select(one => one.Rendered)))
{
    /// <summary>All that the compiler says about the spec, warnings included.</summary>
    public IReadOnlyList<SpecDiagnostic> Diagnostics { get; } = diagnostics;
}
