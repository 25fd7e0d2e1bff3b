using CnnSpec.Data;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>From what a recipe or a user calls data to images.</summary>
public static class DataSources
{
    /// <summary>What a recipe calls a folder of images.</summary>
    private const string Folder = "folder";

    /// <summary>A data source for a name, or for a folder of images, whose classes and files are listed.</summary>
    /// <exception cref="InputError">There is no such data set or folder, or it holds no classes.</exception>
    public static DataSource Named(string name, FolderOptions? options = null)
    {
        string known = name.Replace('_', '-');
        if (DataCatalog.All.FirstOrDefault(info => info.Name == known) is { } info)
        {
            // Only of the generated set it says how many images there are to be.
            var (train, test) = info == DataCatalog.Shapes ? (info.TrainCount, info.TestCount) : (0, 0);
            return new DataSource(known, "", 0, train, test, info.ClassNames.Count);
        }
        if (Directory.Exists(name))
            return Listed(new DataSource(Folder, name, 0, 0, 0, null), options);
        throw DataCatalog.Unknown(name);
    }

    /// <summary>The same source, with what a folder holds: its classes and its number of images that train.</summary>
    /// <inheritdoc cref="Named"/>
    public static DataSource Listed(DataSource source, FolderOptions? options)
    {
        if (source.Name != Folder)
            return source;
        RequireFolder(source.Path);
        var listing = ImageListing.Read(source.Path, options);
        var rooted = Rooted(source);
        return new DataSource(
            rooted.Name,
            rooted.Path,
            rooted.Validation,
            listing.TrainCount,
            0,
            listing.ClassNames.Count
        );
    }

    private static void RequireFolder(string path)
    {
        if (!Directory.Exists(path))
            throw new InputError(
                $"there is no folder {path}, where the images are to be",
                "put it there, or name another with --data; in a spec the path is relative to the spec"
            );
    }

    /// <summary>The names of the classes, in the order of their labels.</summary>
    public static IReadOnlyList<string> ClassesOf(DataSource source, FolderOptions? options) =>
        source.Name == Folder
            ? ImageListing.Read(source.Path, options).ClassNames
            : DataCatalog.All.Single(info => info.Name == source.Name).ClassNames;

    /// <summary>What the compiler asks of a folder that a recipe names.</summary>
    public static FolderLook Look(string path)
    {
        if (!Directory.Exists(path))
            return FolderLook.NewUnusable($"there is no folder {path}");
        try
        {
            var listing = ImageListing.Read(path);
            listing.Split(new ImageShape(1, 1, 1), seed: 0);
            return FolderLook.NewHolds(listing.ClassNames.Count, listing.TrainCount);
        }
        catch (UserError error)
        {
            return FolderLook.NewUnusable(error.Message);
        }
    }

    /// <summary>The same source with a folder's whole path, so that a run finds it from wherever it is resumed or tested.</summary>
    public static DataSource Rooted(DataSource source) =>
        source.Name == Folder
            ? new DataSource(
                source.Name,
                Path.GetFullPath(source.Path),
                source.Validation,
                source.TrainCount,
                source.TestCount,
                source.Classes
            )
            : source;

    /// <summary>The data set as images of the shape that a network takes, fetched first where it is missing.</summary>
    /// <param name="input">Of the network, without the batch.</param>
    /// <param name="options">What a folder may lack.</param>
    /// <param name="fetch">Asked for a data set that is not there; null fetches it without a word.</param>
    /// <exception cref="InputError">It does not fit the network, or is damaged.</exception>
    /// <exception cref="EnvironmentError">It cannot be fetched.</exception>
    public static DataSet Open(
        DataSource source,
        IReadOnlyList<long> input,
        long seed,
        FolderOptions? options,
        Action<string>? fetch,
        CancellationToken stop
    )
    {
        var shape = Shape(input);
        if (source.Name == Folder)
            RequireFolder(source.Path);
        string name = Fetched(source, fetch, stop);
        (int, int)? counts =
            source.Name != Folder && source.TrainCount > 0 ? (source.TrainCount, source.TestCount) : null;
        return new DataCatalog().Open(name, shape, (ulong)seed, counts, options, cancellation: stop);
    }

    /// <summary>Whether two sources are one folder, however its path is written, or one data set.</summary>
    public static bool AreSame(DataSource a, DataSource b) =>
        a.Name == b.Name && (a.Name != Folder || FolderWalk.Real(a.Path) == FolderWalk.Real(b.Path));

    /// <summary>Images that test a network which was trained on others, with its classes: those of the test folder, or
    /// without one all of a folder.</summary>
    /// <param name="classes">The network's, in the order of its outputs.</param>
    /// <inheritdoc cref="Open"/>
    public static (IImageSource Images, IReadOnlyList<string> Notes) OpenTest(
        DataSource source,
        IReadOnlyList<long> input,
        IReadOnlyList<string> classes,
        long seed,
        Action<string>? fetch,
        CancellationToken stop
    )
    {
        IImageSource images;
        IReadOnlyList<string> notes;
        if (source.Name == Folder)
            (images, notes) = ImageListing
                .Read(source.Path, new FolderOptions { AllowEmptyClasses = true })
                .ForTest(Shape(input));
        else
        {
            var data = Open(source, input, seed, null, fetch, stop);
            (images, notes) = (data.Test, data.Notes);
        }
        var named = ImagesByClassName.Of(images, classes, source.Title);
        return (named, named.Absent.Count == 0 ? notes : [.. notes, $"no images of {string.Join(", ", named.Absent)}"]);
    }

    private static ImageShape Shape(IReadOnlyList<long> input) =>
        input.Count == 3
            ? new ImageShape((int)input[0], (int)input[1], (int)input[2])
            : throw new InputError(
                "the network takes features, and data sets have images",
                "give it an input of channels x height x width"
            );

    /// <summary>A name that the catalogue can open, once it is there.</summary>
    private static string Fetched(DataSource source, Action<string>? fetch, CancellationToken stop)
    {
        string name = source.Title;
        if (new DataCatalog().List().FirstOrDefault(state => state.Info.Name == name) is { Prepared: false })
            if (fetch is null)
                new DataInstaller().Get(name, cancellation: stop).GetAwaiter().GetResult();
            else
                fetch(name);
        return name;
    }
}
