namespace CnnSpec.Data;

/// <summary>What an installation is doing.</summary>
public enum DownloadStage
{
    /// <summary>Another process is preparing the same data set.</summary>
    Waiting,

    /// <summary>Bytes are coming in.</summary>
    Downloading,

    /// <summary>A place did not deliver; the next is tried. <see cref="DownloadProgress.Item"/> says why.</summary>
    SourceFailed,

    /// <summary>Checksums are compared.</summary>
    Verifying,

    /// <summary>Files are unpacked and brought into the form that is kept.</summary>
    Preparing,

    /// <summary>The data set is in the cache.</summary>
    Done,
}

/// <summary>A step of an installation, reported often enough for a progress bar.</summary>
/// <param name="Item">The file, place or reason that the stage is about.</param>
/// <param name="Bytes">How much of it is done.</param>
/// <param name="Total">How much there is, where that is known.</param>
public readonly record struct DownloadProgress(DownloadStage Stage, string Item, long Bytes = 0, long? Total = null);
