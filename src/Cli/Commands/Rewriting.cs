using CnnSpec.Cli.Output;
using CnnSpec.Syntax;
using CnnSpec.Text;

namespace CnnSpec.Cli.Commands;

/// <summary>Specs written anew, for <c>fmt</c> and <c>convert</c>.</summary>
internal static class Rewriting
{
    /// <summary>The canonical text in the syntax that the file's name tells, or in another.</summary>
    /// <returns>Null where the spec does not parse; the diagnostics have been printed.</returns>
    public static string? Canonical(string path, byte[] bytes, SpecSyntax? syntax = null)
    {
        var source = SourceFile.ofBytes(path, bytes);
        if (source.IsError)
        {
            Terminal.Show([source.ErrorValue]);
            return null;
        }
        var text = Compile.rewrite(syntax ?? SpecSyntaxModule.ofPath(path), source.ResultValue);
        if (text.IsError)
        {
            Terminal.Show(text.ErrorValue);
            return null;
        }
        return text.ResultValue;
    }
}
