using CnnSpec.Cli.Output;
using CnnSpec.Text;

namespace CnnSpec.Cli.Commands;

/// <summary>A spec that must fit before a command can go on.</summary>
internal static class Specs
{
    /// <summary>The first network of a file, or the one with that name; diagnostics are printed.</summary>
    /// <returns>Null where the spec has errors, which have been shown.</returns>
    /// <exception cref="InputError">The file is unreadable or has no such network.</exception>
    public static (Compile.Network Network, string Text)? Fitting(
        string path,
        SpecFile.Settings settings,
        string? name = null
    )
    {
        var compilation = SpecFile.Open(path, settings);
        if (compilation.HasErrors)
        {
            Terminal.Show(compilation.Diagnostics);
            return null;
        }
        var network =
            compilation.Networks.FirstOrDefault(n => name is null || n.Program.Network == name)
            ?? throw new InputError(
                name is null ? $"{path} has no network in it" : $"{path} has no network called {name}",
                "a network begins with 'network Name { input 3 x 32 x 32 …'"
            );
        return (network, compilation.File.Source.Text);
    }
}
