using CnnSpec.Ir;
using CnnSpec.Text;

namespace CnnSpec.Runtime.Tests.Networks;

/// <summary>Spec text straight to its program.</summary>
internal static class Specs
{
    public static Compile.Compilation Compiled(string text) =>
        Compile.file(CompileOptions.Alone, SourceModule.create("test.cnn", text));

    public static Program Program(string text)
    {
        var compilation = Compiled(text);
        Assert.That(compilation.HasErrors, Is.False, () => Render.all(Render.plain, compilation.Diagnostics));
        return compilation.Networks.Single().Program;
    }

    /// <summary>One network with this body.</summary>
    public static Program Network(string body, string input = "16 x 20 x 28") =>
        Program($"network N {{\n  input {input}\n  {body}\n}}\n");

    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "CnnSpec.sln")))
            folder = folder.Parent;
        return folder.FullName;
    }
}
