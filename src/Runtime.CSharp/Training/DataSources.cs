using CnnSpec.Data;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>From what a recipe or a user calls data to images.</summary>
public static class DataSources
{
    /// <summary>A data source for a name, or for a folder of images.</summary>
    /// <exception cref="InputError">There is no such data set or folder.</exception>
    public static DataSource Named(string name, int validation)
    {
        string known = name.Replace('_', '-');
        if (DataCatalog.All.FirstOrDefault(info => info.Name == known) is { } info)
            return new DataSource(known, "", validation, 0, 0, info.ClassNames.Count);
        if (Directory.Exists(name))
            return Rooted(new DataSource("folder", name, validation, 0, 0, null));
        throw new InputError(
            $"there is no data set or folder called {name}",
            $"name one of {string.Join(", ", DataCatalog.All.Select(d => d.Name))}, or a folder of images"
        );
    }

    /// <summary>The same source with a folder's whole path, so that a run finds it from wherever it is resumed or tested.</summary>
    public static DataSource Rooted(DataSource source) =>
        source.Name == "folder"
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
    /// <param name="fetch">Asked for a data set that is not there; null fetches it without a word.</param>
    /// <exception cref="InputError">It does not fit the network, or is damaged.</exception>
    /// <exception cref="EnvironmentError">It cannot be fetched.</exception>
    public static DataSet Open(
        DataSource source,
        IReadOnlyList<long> input,
        long seed,
        Action<string>? fetch,
        CancellationToken stop
    )
    {
        if (input.Count != 3)
            throw new InputError(
                "the network takes features, and data sets have images",
                "give it an input of channels x height x width"
            );
        var shape = new ImageShape((int)input[0], (int)input[1], (int)input[2]);
        string name = source.Name == "folder" ? source.Path : source.Name;
        var catalog = new DataCatalog();
        if (catalog.List().FirstOrDefault(state => state.Info.Name == name) is { Prepared: false })
            if (fetch is null)
                new DataInstaller().Get(name, cancellation: stop).GetAwaiter().GetResult();
            else
                fetch(name);
        (int, int)? counts = source.TrainCount > 0 ? (source.TrainCount, source.TestCount) : null;
        return catalog.Open(name, shape, (ulong)seed, counts, cancellation: stop);
    }
}
