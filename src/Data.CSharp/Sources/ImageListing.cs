namespace CnnSpec.Data;

/// <summary>The images of a folder that train, validate and test, and what must be said of how that came about.</summary>
/// <param name="Validation">Null where the folder has none of its own.</param>
public sealed record FolderSplit(
    ImageFolder Train,
    ImageFolder? Validation,
    ImageFolder Test,
    IReadOnlyList<string> Notes
);

/// <summary>
/// What a folder of images holds, told by names alone: nothing is decoded. Class folders lie in it directly, or in
/// <c>train</c> with <c>test</c> and <c>val</c> beside it (or <c>training</c>, <c>testing</c>, <c>valid</c>,
/// <c>validation</c>, in any case of letters). Without <c>test</c>, the images of <c>val</c> test.
/// </summary>
public sealed class ImageListing
{
    /// <summary>One image in five tests, where the folder does not say which do.</summary>
    private const int TestShare = 5;

    /// <summary>Names that a message lists.</summary>
    private const int MostNamed = 5;

    private static readonly string[] TrainNames = ["train", "training"];
    private static readonly string[] ValidationNames = ["val", "valid", "validation"];
    private static readonly string[] TestNames = ["test", "testing"];

    private readonly string _folder;
    private readonly ClassFolders? _train;
    private readonly ClassFolders? _validation;
    private readonly ClassFolders? _test;
    private readonly List<string> _notes = [];
    private readonly List<string> _empty = [];

    private ImageListing(string folder, FolderOptions options)
    {
        var leftOut = options.LeftOut.ToHashSet();
        string[] folders = FolderWalk.Folders(folder);
        ClassFolders? At(string[] names) =>
            folders.FirstOrDefault(path => IsNamed(path, names) && ClassFolders.IsAt(path)) is { } path
                ? ClassFolders.Read(path, file => leftOut.Contains(Relative(folder, file)))
                : null;

        _folder = folder;
        (_train, _validation, _test) = (At(TrainNames), At(ValidationNames), At(TestNames));
        if (_test is null && _validation is not null)
        {
            (_test, _validation) = (_validation, null);
            _notes.Add($"there is no test folder: the images of {_test.Path} test");
        }
        if (_train is null && _test is null)
            _train = ClassFolders.Read(folder, file => leftOut.Contains(Relative(folder, file)));
        ClassNames = [.. Parts.SelectMany(part => part.Names).Distinct().Order(StringComparer.Ordinal)];
        Judge(options.AllowEmptyClasses);
        NoteWhatIsPassedOver();
    }

    /// <summary>The classes of all parts, in ordinal order.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Images that train, before any are held out to validate.</summary>
    public int TrainCount =>
        _train is null ? 0
        : _test is not null ? _train.Count
        : _train.Count - _train.Classes.Sum(c => TestImages(c.Images.Length));

    private static bool IsNamed(string path, string[] names) =>
        names.Contains(Path.GetFileName(path), StringComparer.OrdinalIgnoreCase);

    private IEnumerable<ClassFolders> Parts => new[] { _train, _validation, _test }.OfType<ClassFolders>();

    /// <exception cref="InputError">There are no classes, a class has no images, or the parts have different
    /// classes.</exception>
    /// <exception cref="EnvironmentError">A folder may not be read.</exception>
    public static ImageListing Read(string folder, FolderOptions? options = null) => new(folder, options ?? new());

    /// <summary>The place of an image in its folder, as <see cref="FolderOptions.LeftOut"/> has it.</summary>
    internal static string Relative(string folder, string file) =>
        Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>Images to train and to test with. Where no folder tests, one image in five of each class does, drawn by
    /// <paramref name="seed"/>.</summary>
    /// <exception cref="InputError">There is no folder to train on, or a class has a single image.</exception>
    public FolderSplit Split(ImageShape shape, ulong seed)
    {
        if (_train is null)
            throw new InputError($"{_folder}: it has images to test and none to train", "make a train folder in it");
        if (ClassNames.Count == 1)
            throw OneClass();
        if (_test is not null)
            return new FolderSplit(
                Images(_train, shape),
                _validation is null ? null : Images(_validation, shape),
                Images(_test, shape),
                [.. _notes, .. _empty]
            );
        var (train, test) = Divide(_train, seed);
        return new FolderSplit(
            Images(train, shape),
            null,
            Images(test, shape),
            [
                $"there is no test folder: one image in {TestShare} of each class, drawn by seed {seed}, is a test image",
                .. _notes,
                .. _empty,
            ]
        );
    }

    /// <summary>All images that can test a network that was trained on others: those of the test folder, or without one all
    /// there are.</summary>
    public (ImageFolder Images, IReadOnlyList<string> Notes) ForTest(ImageShape shape) =>
        _test is not null
            ? (Images(_test, shape), [$"the images of {_test.Path} are tested", .. _notes])
            : (
                Images(_train!, shape),
                [$"there is no test folder: all {_train!.Count:N0} images of {_train.Path} are tested", .. _notes]
            );

    /// <summary>As an archive leaves it that was unpacked into a folder of its own name.</summary>
    private InputError OneClass()
    {
        string only = Path.Join(_train!.Path, ClassNames[0]);
        return new InputError(
            $"{_train.Path}: its only class folder is {ClassNames[0]}, and with one class there is nothing to learn",
            ClassFolders.IsAt(only)
                ? $"name the folder that holds the classes: {only}"
                : "add a folder for another class"
        );
    }

    private ImageFolder Images(ClassFolders part, ImageShape shape)
    {
        var labels = ClassNames.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        return new ImageFolder(
            [.. part.Classes.SelectMany(c => c.Images.Select(path => (path, labels[c.Name])))],
            shape,
            ClassNames
        );
    }

    /// <summary>Of a class's images, how many test.</summary>
    private static int TestImages(int images) => images == 0 ? 0 : Math.Max(1, images / TestShare);

    private static (ClassFolders Train, ClassFolders Test) Divide(ClassFolders all, ulong seed)
    {
        var train = new List<ClassFolder>();
        var test = new List<ClassFolder>();
        foreach (var (label, (name, images, _)) in all.Classes.Index())
        {
            if (images.Length == 0)
                continue;
            if (images.Length == 1)
                throw new InputError(
                    $"{Path.Join(all.Path, name)}: one image cannot both train and test",
                    "add images, or make train and test folders"
                );
            var split = Data.Split.Hold(images.Length, TestImages(images.Length), seed + (ulong)label);
            train.Add(new ClassFolder(name, [.. split.Train.Select(i => images[i])], []));
            test.Add(new ClassFolder(name, [.. split.Validation.Select(i => images[i])], []));
        }
        return (all with { Classes = train }, all with { Classes = test });
    }

    /// <summary>Refuses parts of different classes and classes without images, or says which there are.</summary>
    private void Judge(bool allowsEmpty)
    {
        foreach (var part in Parts)
        {
            string[] missing = [.. ClassNames.Except(part.Names)];
            string[] empty = [.. part.Classes.Where(c => c.Images.Length == 0).Select(c => c.Name)];
            if (allowsEmpty)
            {
                string[] without = [.. missing.Concat(empty).Order(StringComparer.Ordinal)];
                if (without.Length > 0)
                    _empty.Add($"{part.Path} has no images of {Listed(without)}");
                continue;
            }
            if (missing.Length > 0)
                throw new InputError(
                    $"{part.Path}: it has no folder for {Listed(missing)}, and other parts of {_folder} have",
                    "give all parts the same class folders, or allow classes without images (--allow-empty-classes)"
                );
            if (empty.Length > 0)
                throw new InputError(
                    $"{part.Path}: there are no images of {Listed(empty)}",
                    $"add {string.Join(", ", ImageDecoder.Extensions)} files, remove the folder, or keep the class without "
                        + "images (--allow-empty-classes)"
                );
        }
    }

    private void NoteWhatIsPassedOver()
    {
        foreach (var part in Parts.Where(part => part.Beside > 0))
            _notes.Add(
                $"{Wording.Counted(part.Beside, "image")} in {part.Path} {(part.Beside == 1 ? "is" : "are")} in no class folder and left out"
            );
        if (_train?.Path != _folder)
            foreach (string other in FolderWalk.Folders(_folder).Except(Parts.Select(part => part.Path)))
                _notes.Add($"{Path.GetFileName(other)} in {_folder} is not read: {WhyNot(other)}");
        if (OtherFiles() is { } files)
            _notes.Add(files);
    }

    private string WhyNot(string folder)
    {
        string[][] parts = [TrainNames, ValidationNames, TestNames];
        return parts.FirstOrDefault(names => IsNamed(folder, names)) is not { } names
                ? $"the parts are called {string.Join(", ", parts.Select(part => part[0]))}"
            : Parts.FirstOrDefault(part => IsNamed(part.Path, names)) is { } used ? $"{Path.GetFileName(used.Path)} is"
            : "it has no class folders";
    }

    /// <summary>How many files are no images, of which kinds.</summary>
    private string? OtherFiles()
    {
        var kinds = Parts
            .SelectMany(part => part.Classes)
            .SelectMany(c => c.Others)
            .CountBy(path => Path.GetExtension(path).ToLowerInvariant())
            .OrderByDescending(kind => kind.Value)
            .ThenBy(kind => kind.Key, StringComparer.Ordinal)
            .ToArray();
        if (kinds.Length == 0)
            return null;
        int total = kinds.Sum(kind => kind.Value);
        return $"{Wording.Counted(total, "file")} {(total == 1 ? "is left out, for it is no image" : "are left out, for they are no images")}: "
            + Listed([.. kinds.Select(kind => $"{kind.Value} {(kind.Key == "" ? "without an ending" : kind.Key)}")]);
    }

    private static string Listed(string[] names) => Wording.Listed(names, MostNamed);
}
