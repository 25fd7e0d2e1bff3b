namespace CnnSpec.Data;

/// <summary>
/// Images whose labels are places in another list of classes than their own, found by name: a folder that lacks a class, or
/// has them in another order, would otherwise be counted against the wrong ones.
/// </summary>
public sealed class ImagesByClassName : IImageSource
{
    /// <summary>Names that a message lists.</summary>
    private const int MostNamed = 10;

    private readonly IImageSource _source;
    private readonly int[] _labels;

    private ImagesByClassName(IImageSource source, int[] labels, IReadOnlyList<string> classes)
    {
        (_source, _labels, ClassNames) = (source, labels, classes);
        var counted = new bool[classes.Count];
        for (int i = 0; i < source.Count; i++)
            counted[labels[source.Label(i)]] = true;
        Absent = [.. classes.Where((_, label) => !counted[label])];
    }

    public int Count => _source.Count;
    public ImageShape Shape => _source.Shape;
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Classes of which there are no images.</summary>
    public IReadOnlyList<string> Absent { get; }

    /// <param name="classes">The classes wanted, by label.</param>
    /// <param name="name">What a message calls the images.</param>
    /// <exception cref="InputError">Images are of classes that are not among them.</exception>
    public static ImagesByClassName Of(IImageSource images, IReadOnlyList<string> classes, string name)
    {
        var places = classes.Index().ToDictionary(entry => ClassFolders.Composed(entry.Item), entry => entry.Index);
        string[] unknown = [.. images.ClassNames.Where(c => !places.ContainsKey(ClassFolders.Composed(c)))];
        if (unknown.Length > 0)
            throw new InputError(
                $"{name}: the network does not know the class{(unknown.Length == 1 ? "" : "es")} {Wording.Listed(unknown, MostNamed)}; "
                    + $"it knows {Wording.Listed(classes, MostNamed)}",
                "rename or remove these classes, or train a network that has them"
            );
        return new ImagesByClassName(
            images,
            [.. images.ClassNames.Select(c => places[ClassFolders.Composed(c)])],
            classes
        );
    }

    public int Label(int index) => _labels[_source.Label(index)];

    public void Read(int index, Span<byte> pixels) => _source.Read(index, pixels);
}
