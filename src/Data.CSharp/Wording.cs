namespace CnnSpec;

/// <summary>Numbers and lists in messages.</summary>
public static class Wording
{
    /// <summary><c>1 image</c>, <c>2 images</c>.</summary>
    public static string Counted(int count, string noun) => $"{count:N0} {noun}{(count == 1 ? "" : "s")}";

    /// <summary><c>a, b and 7 more</c>: no more names than anybody reads.</summary>
    public static string Listed(IReadOnlyList<string> names, int most) =>
        string.Join(", ", names.Take(most)) + (names.Count > most ? $" and {names.Count - most:N0} more" : "");
}
