using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Cli;

/// <summary>Opens what a recipe or <c>--data</c> names, fetching it first where it is missing.</summary>
public static class DataAccess
{
    /// <summary>What a user calls data.</summary>
    /// <exception cref="InputError">There is no such data set or folder.</exception>
    public static DataSource Named(string name, FolderOptions? options = null)
    {
        var source = DataSources.Named(name, options);
        if (source.Path == "" && Directory.Exists(name))
            Terminal.Note($"note: {name} is the data set of that name; write ./{name} for the folder");
        return source;
    }

    /// <summary>The data set as images of the wanted shape.</summary>
    /// <exception cref="InputError">It does not fit the network, or is damaged.</exception>
    /// <exception cref="EnvironmentError">It cannot be fetched.</exception>
    public static DataSet Open(
        DataSource source,
        IReadOnlyList<long> input,
        long seed,
        CancellationToken stop,
        FolderOptions? options = null
    ) => DataSources.Open(source, input, seed, options, name => Fetch(name, stop), stop);

    /// <summary>Fetches a data set and shows how far it is.</summary>
    public static InstalledData Fetch(string name, CancellationToken stop) =>
        DownloadDisplay.Follow(
            name,
            progress => new DataInstaller().Get(name, progress, stop).GetAwaiter().GetResult()
        );
}
