namespace CnnSpec.Data;

/// <summary>The two halves of a folder of images, and how they came about.</summary>
public sealed record FolderSplit(ImageFolder Train, ImageFolder Test, string? Note);

/// <summary>
/// Image files in one folder for each class, decoded when they are read. The shorter side is resized to cover the
/// wanted shape
/// (antialiased, bilinear) and the middle is cut out. Files and classes are in ordinal order of their names.
/// Photographs stand as their EXIF orientation says; a transparent image is laid over white.
/// </summary>
public sealed class ImageFolder : IImageSource
{
    /// <summary>One file in five tests, where the folder does not say which do.</summary>
    private const int TestShare = 5;

    /// <summary>Kinds of other files that a message names.</summary>
    private const int KindsNamed = 5;

    private readonly (string Path, int Label)[] _files;
    private readonly ThreadLocal<BilinearResizer> _resizer = new(() => new BilinearResizer());

    private ImageFolder((string, int)[] files, ImageShape shape, IReadOnlyList<string> classNames) =>
        (_files, Shape, ClassNames) = (files, shape, classNames);

    public int Count => _files.Length;
    public ImageShape Shape { get; }
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Where an image is.</summary>
    public string PathOf(int index) => _files[index].Path;

    public int Label(int index) => _files[index].Label;

    public void Read(int index, Span<byte> pixels) =>
        Fit(ImageDecoder.Read(_files[index].Path), Shape, pixels, _resizer.Value!);

    /// <summary>Gives an image another shape: channels converted, shorter side resized, middle cut out.</summary>
    internal static void Fit(Raster image, ImageShape shape, Span<byte> target, BilinearResizer resizer)
    {
        image = image.WithChannels(shape.Channels);
        // The part of the original that the result shows; cutting first and resizing after gives the same picture for
        // less work.
        double scale = Math.Min((double)image.Shape.Height / shape.Height, (double)image.Shape.Width / shape.Width);
        int height = Math.Clamp((int)Math.Round(shape.Height * scale), 1, image.Shape.Height);
        int width = Math.Clamp((int)Math.Round(shape.Width * scale), 1, image.Shape.Width);
        var region = Rectangle.Centre(image.Shape, height, width);
        resizer.Resize(image.Pixels, image.Shape, region, target, shape.Height, shape.Width);
    }

    /// <summary>
    /// Opens <c>folder/class/*</c>, or <c>folder/train/class/*</c> with <c>folder/test</c> or <c>folder/val</c> beside
    /// it.
    /// Without those, one file in five of each class, drawn by <paramref name="seed"/>, is a test image.
    /// </summary>
    /// <exception cref="InputError">There are no classes, a class has no images, or the two halves have different
    /// classes.</exception>
    public static FolderSplit Open(string folder, ImageShape shape, ulong seed)
    {
        try
        {
            string train = Path.Combine(folder, "train");
            string? test = new[] { "test", "val" }
                .Select(name => Path.Combine(folder, name))
                .FirstOrDefault(Directory.Exists);
            if (!Directory.Exists(train))
                return Divide(ReadClasses(folder), shape, seed);
            if (test is null)
                return Divide(ReadClasses(train), shape, seed);
            return Pair(train, test, shape);
        }
        catch (Exception e) when (DiskFailure.Explains(e))
        {
            throw DiskFailure.Reading(folder, e);
        }
    }

    private static FolderSplit Pair(string train, string test, ImageShape shape)
    {
        var trainClasses = ReadClasses(train);
        var testClasses = ReadClasses(test);
        string[] names = Names(trainClasses);
        string? odd = Names(testClasses).Except(names).Concat(names.Except(Names(testClasses))).FirstOrDefault();
        if (odd is not null)
            throw new InputError(
                $"{test}: its classes are not those of {train}: {odd} is in one only",
                "give both the same class folders"
            );
        return new FolderSplit(
            new ImageFolder(Files(trainClasses), shape, names),
            new ImageFolder(Files(testClasses), shape, names),
            Notes(
                Path.GetFileName(test) == "val" ? $"the test images are those of {test}" : null,
                OtherFiles(trainClasses.Concat(testClasses))
            )
        );
    }

    private static FolderSplit Divide(IReadOnlyList<ClassFolder> classes, ImageShape shape, ulong seed)
    {
        var train = new List<ClassFolder>();
        var test = new List<ClassFolder>();
        foreach (var (label, (path, files, _)) in classes.Index())
        {
            if (files.Length < 2)
                throw new InputError(
                    $"{path}: one image cannot both train and test",
                    "add images, or make train and test folders"
                );
            var split = Split.Hold(files.Length, Math.Max(1, files.Length / TestShare), seed + (ulong)label);
            train.Add(new ClassFolder(path, [.. split.Train.Select(i => files[i])], []));
            test.Add(new ClassFolder(path, [.. split.Validation.Select(i => files[i])], []));
        }
        string[] names = Names(classes);
        return new FolderSplit(
            new ImageFolder(Files(train), shape, names),
            new ImageFolder(Files(test), shape, names),
            Notes(
                $"there is no test folder: one image in {TestShare} of each class, drawn by seed {seed}, is a test image",
                OtherFiles(classes)
            )
        );
    }

    /// <param name="Others">The endings of files that are no images; hidden files are not among them.</param>
    private sealed record ClassFolder(string Path, string[] Files, string[] Others);

    private static string? Notes(params string?[] notes) =>
        notes.OfType<string>().ToArray() is { Length: > 0 } said ? string.Join("; ", said) : null;

    /// <summary>How many files were passed over, of which kinds.</summary>
    private static string? OtherFiles(IEnumerable<ClassFolder> classes)
    {
        var kinds = classes
            .SelectMany(folder => folder.Others)
            .CountBy(ending => ending)
            .OrderByDescending(kind => kind.Value)
            .ThenBy(kind => kind.Key, StringComparer.Ordinal)
            .ToArray();
        if (kinds.Length == 0)
            return null;
        var named = kinds
            .Take(KindsNamed)
            .Select(kind => $"{kind.Value} {(kind.Key == "" ? "without an ending" : kind.Key)}");
        int total = kinds.Sum(kind => kind.Value);
        return $"{total} file{(total == 1 ? " is" : "s are")} left out, for {(total == 1 ? "it is no image" : "they are no images")}: "
            + string.Join(", ", kinds.Length > KindsNamed ? named.Append("…") : named);
    }

    private static string[] Names(IEnumerable<ClassFolder> classes) =>
        classes.Select(c => Path.GetFileName(c.Path)).ToArray();

    private static (string, int)[] Files(IEnumerable<ClassFolder> classes) =>
        classes.SelectMany((c, label) => c.Files.Select(file => (file, label))).ToArray();

    private static ClassFolder[] ReadClasses(string folder)
    {
        var classes = Directory
            .GetDirectories(folder)
            .Where(path => !Path.GetFileName(path).StartsWith('.'))
            .Order(StringComparer.Ordinal)
            .Select(ReadClass)
            .ToArray();
        return classes.Length > 0
            ? classes
            : throw new InputError($"{folder}: there are no class folders in it", "make one sub-folder for each class");
    }

    private static ClassFolder ReadClass(string folder)
    {
        var files = Directory
            .GetFiles(folder)
            .Where(path => !Path.GetFileName(path).StartsWith('.'))
            .Order(StringComparer.Ordinal)
            .ToLookup(path => ImageDecoder.Extensions.Contains(Path.GetExtension(path).ToLowerInvariant()));
        return files[true].Any()
            ? new ClassFolder(
                folder,
                [.. files[true]],
                [.. files[false].Select(path => Path.GetExtension(path).ToLowerInvariant())]
            )
            : throw new InputError(
                $"{folder}: there are no images in it",
                $"add {string.Join(", ", ImageDecoder.Extensions)} files, or remove the folder"
            );
    }
}
