using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Tests.Networks;

namespace CnnSpec.Runtime.Tests;

/// <summary>The arrows between the parts point one way.</summary>
public class ArchitectureTests
{
    private static (
        HashSet<string> Assemblies,
        List<(string Assembly, string Namespace, string Name)> Types
    ) ReferencesOf(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        var assemblies = metadata
            .AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .ToHashSet();
        var types = metadata
            .TypeReferences.Select(metadata.GetTypeReference)
            .Where(type => type.ResolutionScope.Kind == HandleKind.AssemblyReference)
            .Select(type =>
                (
                    metadata.GetString(
                        metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name
                    ),
                    metadata.GetString(type.Namespace),
                    metadata.GetString(type.Name)
                )
            )
            .ToList();
        return (assemblies, types);
    }

    [Test]
    public void The_compiler_never_sees_a_tensor_or_the_runtime()
    {
        var (assemblies, _) = ReferencesOf(typeof(Ir.Program).Assembly.Location);
        Assert.That(assemblies.Where(name => name.StartsWith("CnnSpec") || name.StartsWith("TorchSharp")), Is.Empty);
    }

    [Test]
    public void The_data_know_no_tensor_and_no_network()
    {
        var (assemblies, _) = ReferencesOf(typeof(CnnSpec.Data.ImageDecoder).Assembly.Location);
        Assert.That(assemblies.Where(name => name.StartsWith("CnnSpec") || name.StartsWith("TorchSharp")), Is.Empty);
    }

    [Test]
    public void The_runtime_sees_only_the_ir_and_its_operators()
    {
        var (assemblies, types) = ReferencesOf(typeof(Network).Assembly.Location);
        Assert.That(assemblies, Does.Not.Contain("Spectre.Console").And.Not.Contain("System.CommandLine"));
        // How words of others are shown is one rule for all.
        var seen = types
            .Where(type => type.Assembly == "CnnSpec.Spec" && type.Name != "Printable")
            .Select(type => type.Namespace)
            .Distinct();
        Assert.That(seen, Is.SubsetOf(new[] { "CnnSpec.Ir", "CnnSpec.Operators" }));
    }

    /// <summary>
    /// Who reads a folder need not read what depends on it. Told from the sources: C# by what it is `using`, F# by what it
    /// opens.
    /// </summary>
    [Test]
    public void No_folder_depends_on_one_that_depends_on_it()
    {
        var declared = new Dictionary<string, string>();
        var used = new List<(string Folder, string Namespace, string File)>();
        string sources = Path.Combine(Specs.Root, "src");
        foreach (string file in Directory.GetFiles(sources, "*.*s", SearchOption.AllDirectories).Order())
        {
            string[] parts = Path.GetRelativePath(sources, file).Split(Path.DirectorySeparatorChar);
            string folder = string.Join('/', parts[..Math.Min(2, parts.Length - 1)]);
            foreach (string line in File.ReadLines(file))
                if (Regex.Match(line, @"^(?:namespace|module)(?: rec)? (CnnSpec[\w.]*)") is { Success: true } own)
                    declared.TryAdd(own.Groups[1].Value, folder);
                else if (
                    Regex.Match(line, @"^\s*(?:using(?: static)?|open) (CnnSpec[\w.]*)") is { Success: true } other
                )
                    used.Add((folder, other.Groups[1].Value, parts[^1]));
        }
        var edges = used.Where(use => declared.ContainsKey(use.Namespace))
            .Select(use => (use.Folder, To: declared[use.Namespace], use.File))
            .Where(edge => edge.Folder != edge.To)
            .ToLookup(edge => edge.Folder, edge => (edge.To, edge.File));
        Assert.That(edges.Count, Is.GreaterThan(10));
        foreach (var folder in edges)
        foreach (var (to, file) in folder)
            Assert.That(Reachable(to), Does.Not.Contain(folder.Key), $"{folder.Key}/{file} depends on {to}");

        HashSet<string> Reachable(string start)
        {
            var seen = new HashSet<string>();
            var waiting = new Stack<string>([start]);
            while (waiting.TryPop(out string? next))
                foreach (var (to, _) in edges[next])
                    if (seen.Add(to))
                        waiting.Push(to);
            return seen;
        }
    }

    /// <summary>
    /// Where a thread has used AMX, .NET's stack for signals is too small to make an exception of a null reference: the process
    /// dies by SIGSEGV. Damaged files are found by looking.
    /// </summary>
    [Test]
    public void Nothing_waits_for_a_null_reference_to_find_damage()
    {
        foreach (var type in new[] { typeof(Network), typeof(CnnSpec.Data.ImageDecoder), typeof(Ir.Program) })
            Assert.That(
                ReferencesOf(type.Assembly.Location).Types.Select(reference => reference.Name),
                Does.Not.Contain(nameof(NullReferenceException)),
                type.Assembly.GetName().Name
            );
    }
}
