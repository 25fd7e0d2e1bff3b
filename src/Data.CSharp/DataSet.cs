namespace CnnSpec.Data;

/// <summary>A data set that is ready to train on.</summary>
/// <param name="Name">The name it was opened by.</param>
/// <param name="Train">The training images.</param>
/// <param name="Test">The test images, of the same shape and classes.</param>
/// <param name="Statistics">Mean and deviation of each channel over the training images, before padding or
/// resizing.</param>
/// <param name="Notes">What a reader of the results must know, such as a split that is not the official one.</param>
public sealed record DataSet(
    string Name,
    IImageSource Train,
    IImageSource Test,
    ChannelStatistics Statistics,
    IReadOnlyList<string> Notes
)
{
    /// <summary>Images that validate and never train, where the data set has its own; null where a recipe holds some out.</summary>
    public IImageSource? Validation { get; init; }

    /// <summary>Images of a folder that were left out because they cannot be decoded; see
    /// <see cref="FolderOptions.LeftOut"/>.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>
    /// What was done to the images to give them the wanted shape, such as <c>padded 28×28 → 32×32</c>; null when
    /// nothing was.
    /// </summary>
    public string? Adaptation { get; init; }

    /// <summary>The same text where the images are the same, by which a resumed run knows its data again.</summary>
    public required string Fingerprint { get; init; }
}
