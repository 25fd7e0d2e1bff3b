namespace CnnSpec.Data;

/// <summary>How a data set is fetched, prepared and loaded.</summary>
/// <param name="Origins">Best first.</param>
/// <param name="BytesNeeded">Disk space while it is prepared, at most.</param>
/// <param name="Load">Reads the prepared folder.</param>
internal sealed record Installable(
    DataSetInfo Info,
    IReadOnlyList<Origin> Origins,
    long BytesNeeded,
    Func<string, DataSetInfo, (IImageSource Train, IImageSource Test)> Load
)
{
    /// <summary>Every data set that is fetched.</summary>
    public static readonly IReadOnlyList<Installable> All =
    [
        MnistRecipe.Mnist,
        MnistRecipe.FashionMnist,
        CifarRecipe.Cifar10,
    ];
}
