namespace CnnSpec.Data;

/// <summary>Images that cannot be decoded, all of them at once.</summary>
public sealed class UnreadableImages : InputError
{
    /// <summary>More make a message that nobody reads.</summary>
    private const int MostShown = 20;

    /// <param name="images">Where they are, and why each cannot be read.</param>
    /// <param name="allowed">How many of them may be left out.</param>
    internal UnreadableImages(IReadOnlyList<(string Path, InputError Reason)> images, int allowed = 0)
        : base(Words(images, allowed), Advice(images.Count))
    {
        Images = images;
    }

    internal IReadOnlyList<(string Path, InputError Reason)> Images { get; }

    private static string Words(IReadOnlyList<(string Path, InputError Reason)> images, int allowed)
    {
        if (images.Count == 1)
            return images[0].Reason.Message;
        string[] lines = [.. images.Take(MostShown).Select(image => "  " + image.Reason.Message)];
        return $"{images.Count:N0} images cannot be read{(allowed > 0 ? $", and {allowed:N0} may be left out" : "")}:\n"
            + string.Join('\n', lines)
            + (images.Count > MostShown ? $"\n  and {images.Count - MostShown:N0} more" : "");
    }

    private static string Advice(int count) =>
        count == 1
            ? "replace or delete the file; 'cnnspec train --skip-damaged 1' leaves it out"
            : $"replace or delete these files; 'cnnspec train --skip-damaged {count}' leaves them out";
}
