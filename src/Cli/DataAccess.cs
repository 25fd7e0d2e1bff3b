using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Cli;

/// <summary>Opens what a recipe or <c>--data</c> names, fetching it first where it is missing.</summary>
public static class DataAccess
{
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
