namespace CnnSpec.Data;

/// <summary>What a user allows a folder of images to lack.</summary>
public sealed record FolderOptions
{
    /// <summary>A class may have no images; otherwise it is an error, which a wrong path causes as often as intention.</summary>
    public bool AllowEmptyClasses { get; init; }

    /// <summary>Up to so many images that cannot be decoded are left out.</summary>
    public int SkipDamaged { get; init; }

    /// <summary>Images that an earlier run left out, relative to the folder, with <c>/</c> between names.</summary>
    public IReadOnlyCollection<string> LeftOut { get; init; } = [];
}
