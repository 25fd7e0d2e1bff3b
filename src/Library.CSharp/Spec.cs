using System.Globalization;
using CnnSpec.Text;

namespace CnnSpec;

/// <summary>
/// A spec, compiled. What is wrong with it is data, in <see cref="Diagnostics"/>; nothing is thrown for it until a network is
/// asked of a spec that has errors. Instances never change and may be used from any thread.
/// </summary>
/// <example>
/// <code>
/// var spec = Spec.Load("densenet.cnn", new() { Set = new Dictionary&lt;string, object&gt; { ["growth_rate"] = 24 } });
/// foreach (var diagnostic in spec.Diagnostics)
///     Console.WriteLine(diagnostic);
/// Console.WriteLine(spec.Network().Summary());
/// </code>
/// </example>
public sealed class Spec
{
    private Spec(Compile.Compilation compilation)
    {
        var source = compilation.File.Source;
        Diagnostics = [.. compilation.Diagnostics.Select(SpecDiagnostic.Of)];
        Networks = [.. compilation.Networks.Select(network => new SpecNetwork(network, source.Path, source.Text))];
    }

    /// <summary>All errors and warnings, in the order of the file.</summary>
    public IReadOnlyList<SpecDiagnostic> Diagnostics { get; }

    /// <summary>Whether a network cannot be built.</summary>
    public bool HasErrors => Diagnostics.Any(one => one.Severity == SpecSeverity.Error);

    /// <summary>The networks that fit, in the order of the file.</summary>
    public IReadOnlyList<SpecNetwork> Networks { get; }

    /// <summary>Compiles a <c>.cnn</c> or YAML file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Spec Load(string path, SpecOptions? options = null) =>
        new(Compile.bytes(Options(options), path, File.ReadAllBytes(path)));

    /// <summary>Compiles a text.</summary>
    /// <param name="text">The spec.</param>
    /// <param name="options">What is changed in it.</param>
    /// <param name="name">What diagnostics call it; a name that ends with .yaml means YAML.</param>
    public static Spec Parse(string text, SpecOptions? options = null, string name = "spec.cnn") =>
        new(Compile.file(Options(options), SourceModule.create(name, text)));

    /// <summary>The network of that name, or the first.</summary>
    /// <exception cref="SpecException">The spec has errors.</exception>
    /// <exception cref="ArgumentException">It has no such network.</exception>
    public SpecNetwork Network(string? name = null)
    {
        if (HasErrors)
            throw new SpecException(Diagnostics);
        return Networks.FirstOrDefault(network => name is null || network.Name == name)
            ?? throw new ArgumentException(
                name is null ? "the spec has no network" : $"the spec has no network called {name}",
                nameof(name)
            );
    }

    private static CompileOptions Options(SpecOptions? options)
    {
        options ??= new SpecOptions();
        var import = options.Import ?? (path => File.Exists(path) ? File.ReadAllBytes(path) : null);
        return CompileOptions.From(
            options.Set.Select(set => KeyValuePair.Create(set.Key, Value(set.Value))),
            options.Input,
            import!
        );
    }

    private static string Value(object value) =>
        value switch
        {
            bool truth => truth ? "true" : "false",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "none",
        };
}
