using System.Globalization;
using System.Reflection;

namespace CnnSpec.LibTorch.Tests.Api;

/// <summary>Writes types and members as the list of TorchSharp's signatures does: one line each, fully qualified.</summary>
internal static class SignatureNotation
{
    private const BindingFlags Declared =
        BindingFlags.DeclaredOnly
        | BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Instance
        | BindingFlags.Static;

    /// <summary>Every line that a user, or a class derived by one, sees of these types.</summary>
    public static SortedSet<string> Render(IEnumerable<Type> types)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in types.Where(IsVisible))
        {
            lines.Add(TypeLine(type));
            foreach (var line in MemberLines(type))
                lines.Add(line);
        }
        return lines;
    }

    private static bool IsVisible(Type type) =>
        type.IsNested ? (type.IsNestedPublic || type.IsNestedFamily) && IsVisible(type.DeclaringType!) : type.IsPublic;

    private static string TypeLine(Type type)
    {
        var kind =
            type.IsEnum ? " enum"
            : type.IsValueType ? " struct"
            : type.IsInterface ? " interface"
            : type is { IsAbstract: true, IsSealed: true } ? " static"
            : "";
        return $"type {Name(type)} : {(type.BaseType is null ? "" : Name(type.BaseType))}{kind}";
    }

    private static IEnumerable<string> MemberLines(Type type)
    {
        var owner = Name(type);
        if (type.IsEnum)
        {
            foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Static))
                yield return $"{owner}.{field.Name} = {Convert.ToInt64(field.GetRawConstantValue())}";
            yield break;
        }
        foreach (
            var field in type.GetFields(Declared)
                .Where(field => Visible(field.IsPublic, field.IsFamily, field.IsFamilyOrAssembly))
        )
            yield return $"{owner}.{field.Name} : {Name(field.FieldType)}{(field.IsStatic ? " static" : "")}";
        foreach (var constructor in type.GetConstructors(Declared).Where(c => !c.IsStatic && Visible(c)))
            yield return $"{owner}.ctor({Parameters(constructor)})";
        foreach (var property in type.GetProperties(Declared))
        {
            var get = property.GetMethod is { } getter && Visible(getter) ? " get" : "";
            var set = property.SetMethod is { } setter && Visible(setter) ? " set" : "";
            var isStatic = (property.GetMethod ?? property.SetMethod)!.IsStatic ? " static" : "";
            if (get + set != "")
                yield return $"{owner}.{property.Name} : {Name(property.PropertyType)}{get}{set}{isStatic}";
        }
        foreach (var method in type.GetMethods(Declared).Where(m => Visible(m) && !IsAccessor(m)))
        {
            var generics = method.IsGenericMethod
                ? "<" + string.Join(",", method.GetGenericArguments().Select(a => a.Name)) + ">"
                : "";
            var isStatic = method.IsStatic ? " static" : "";
            yield return $"{owner}.{method.Name}{generics}({Parameters(method)}) : {Name(method.ReturnType)}{isStatic}";
        }
    }

    private static bool Visible(MethodBase method) =>
        Visible(method.IsPublic, method.IsFamily, method.IsFamilyOrAssembly);

    private static bool Visible(bool isPublic, bool isFamily, bool isFamilyOrAssembly) =>
        isPublic || isFamily || isFamilyOrAssembly;

    private static bool IsAccessor(MethodInfo method) =>
        method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter) =>
        $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? $" = {Default(parameter)}" : "")}";

    private static string Default(ParameterInfo parameter)
    {
        var value = parameter.RawDefaultValue;
        var type = parameter.ParameterType;
        return value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            string text => $"\"{text}\"",
            _ when type.IsEnum => Enum.GetName(type, value) ?? $"{value}",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => $"{value}",
        };
    }

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
            return type.Name;
        if (type.IsByRef)
            return Name(type.GetElementType()!) + "&";
        if (type.IsPointer)
            return Name(type.GetElementType()!) + "*";
        if (type.IsArray)
            return $"{Name(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        // A generic type's arguments stand once, at the end, those of the types around it included.
        var path = Bare(type.Name);
        for (var outer = type.DeclaringType; outer is not null; outer = outer.DeclaringType)
            path = $"{Bare(outer.Name)}.{path}";
        if (!string.IsNullOrEmpty(type.Namespace))
            path = $"{type.Namespace}.{path}";
        return type.IsGenericType ? $"{path}<{string.Join(",", type.GetGenericArguments().Select(Name))}>" : path;
    }

    private static string Bare(string name) => name.Split('`')[0];
}
