using ADRaffy.ENSNormalize;

namespace CnnSpec.Data;

/// <summary>The images of one class.</summary>
/// <param name="Name">In Unicode's composed form, so that a name is the same name whichever system wrote it.</param>
/// <param name="Images">Paths of images, at any depth below the class's folder.</param>
/// <param name="Others">Paths of files that are no images; hidden files are not among them.</param>
internal sealed record ClassFolder(string Name, string[] Images, string[] Others);

/// <summary>
/// A folder with one folder of images for each class, as torchvision's <c>ImageFolder</c> reads it: a class is a folder
/// directly in it, and images of any depth below belong to the class. Classes and images are in ordinal order.
/// </summary>
/// <param name="Path">The folder.</param>
/// <param name="Beside">Images that lie beside the folders of classes, and so in none.</param>
internal sealed record ClassFolders(string Path, IReadOnlyList<ClassFolder> Classes, int Beside)
{
    public IEnumerable<string> Names => Classes.Select(c => c.Name);

    public int Count => Classes.Sum(c => c.Images.Length);

    /// <param name="isLeftOut">Images that are not to be listed.</param>
    /// <exception cref="InputError">There are no folders in it.</exception>
    public static ClassFolders Read(string folder, Func<string, bool> isLeftOut)
    {
        int beside = FolderWalk.Files(folder).Count(ImageDecoder.IsNamedAsImage);
        var classes = FolderWalk
            .Folders(folder)
            .GroupBy(path => Composed(System.IO.Path.GetFileName(path)))
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => OfFiles(group.Key, group.SelectMany(FolderWalk.AllFiles), isLeftOut))
            .ToArray();
        if (classes.Length > 0)
            return new ClassFolders(folder, classes, beside);
        throw beside > 0
            ? new InputError(
                $"{folder}: its {beside} image{(beside == 1 ? " is" : "s are")} in no class folder",
                "make one sub-folder for each class; 'cnnspec predict' classifies images that have none"
            )
            : new InputError($"{folder}: there are no class folders in it", "make one sub-folder for each class");
    }

    /// <summary>Whether there is such a folder with others in it; without others it would be a class.</summary>
    public static bool IsAt(string folder) => Directory.Exists(folder) && FolderWalk.Folders(folder).Length > 0;

    private static ClassFolder OfFiles(string name, IEnumerable<string> files, Func<string, bool> isLeftOut)
    {
        var images = files.ToLookup(ImageDecoder.IsNamedAsImage);
        return new ClassFolder(name, [.. images[true].Where(path => !isLeftOut(path))], [.. images[false]]);
    }

    /// <summary>Macs write names decomposed, as in A and ¨ for Ä; others composed. Unicode Standard Annex 15, form C.</summary>
    internal static string Composed(string name) => System.Text.Ascii.IsValid(name) ? name : ENSNormalize.NF.NFC(name);
}
