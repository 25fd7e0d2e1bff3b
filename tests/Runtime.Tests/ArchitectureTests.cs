using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using CnnSpec.Runtime.Networks;

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
        var seen = types.Where(type => type.Assembly == "CnnSpec.Spec").Select(type => type.Namespace).Distinct();
        Assert.That(seen, Is.SubsetOf(new[] { "CnnSpec.Ir", "CnnSpec.Operators" }));
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
