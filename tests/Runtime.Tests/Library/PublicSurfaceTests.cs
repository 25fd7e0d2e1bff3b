using System.Reflection;
using System.Runtime.CompilerServices;

namespace CnnSpec.Runtime.Tests.Library;

/// <summary>
/// What programs are written against is in a committed list: a change of it is a decision, and a removal needs another major
/// version. <c>CNNSPEC_UPDATE_GOLDEN=1</c> writes it anew.
/// </summary>
public class PublicSurfaceTests
{
    [TestCase(typeof(Spec), "src/Library.CSharp/PublicApi.txt")]
    [TestCase(typeof(TrainedRun), "src/Runtime.CSharp/Library/PublicApi.txt")]
    public void The_public_surface_is_the_committed_one(Type one, string list)
    {
        string path = Path.Combine(Networks.Specs.Root, list);
        string[] lines =
        [
            .. one
                .Assembly.GetExportedTypes()
                .Where(type => type.Namespace == "CnnSpec" && !type.IsNested)
                .SelectMany(Lines)
                .Order(StringComparer.Ordinal),
        ];
        if (Environment.GetEnvironmentVariable("CNNSPEC_UPDATE_GOLDEN") == "1")
            File.WriteAllLines(path, lines);
        Assert.That(lines, Is.EqualTo(File.ReadAllLines(path)));
    }

    [Test]
    public void No_type_of_FSharp_is_in_a_programs_hands()
    {
        foreach (var assembly in new[] { typeof(Spec).Assembly, typeof(TrainedRun).Assembly })
        foreach (var type in assembly.GetExportedTypes().Where(type => type.Namespace == "CnnSpec"))
        foreach (string line in Lines(type))
            Assert.That(line, Does.Not.Contain("FSharp"));
    }

    private static IEnumerable<string> Lines(Type type)
    {
        yield return $"type {Name(type)}";
        const BindingFlags own =
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var member in type.GetMembers(own))
        {
            if (member.GetCustomAttribute<CompilerGeneratedAttribute>() is not null)
                continue;
            string? line = member switch
            {
                ConstructorInfo made => $"new({Parameters(made)})",
                MethodInfo { IsSpecialName: false } method =>
                    $"{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
                PropertyInfo property =>
                    $"{Name(property.PropertyType)} {property.Name} {{ get;{(property.SetMethod is { IsPublic: true } ? " init;" : "")} }}",
                FieldInfo { IsSpecialName: false } field => $"{Name(field.FieldType)} {field.Name}",
                _ => null,
            };
            if (line is not null)
                yield return $"{Name(type)}: {line}";
        }
    }

    private static string Parameters(MethodBase method) =>
        string.Join(
            ", ",
            method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? " = …" : "")}")
        );

    private static string Name(Type type) =>
        type.IsGenericType
            ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : type.Name;
}
