namespace CnnSpec.Data;

/// <summary>Reads images and remembers those that it cannot: one damaged file keeps nobody from the others.</summary>
internal sealed class CarefulReader(IImageSource source)
{
    private readonly List<(string Path, InputError Reason)> _unreadable = [];

    /// <summary>Reads an image. It is zero where its file cannot be decoded.</summary>
    public void Read(int index, Span<byte> pixels)
    {
        try
        {
            source.Read(index, pixels);
        }
        catch (InputError reason) when (source is ImageFolder)
        {
            pixels.Clear();
            Remember(((ImageFolder)source).PathOf(index), reason);
        }
    }

    /// <summary>Looks at a file's header alone.</summary>
    public void ReadHeader(int index)
    {
        if (source is ImageFolder folder && ImageDecoder.HeaderFault(folder.PathOf(index)) is { } reason)
            Remember(folder.PathOf(index), reason);
    }

    /// <exception cref="UnreadableImages">Images could not be read.</exception>
    public void ThrowIfAny()
    {
        if (_unreadable.Count > 0)
            throw new UnreadableImages([.. _unreadable.OrderBy(image => image.Path, StringComparer.Ordinal)]);
    }

    private void Remember(string path, InputError reason)
    {
        lock (_unreadable)
            _unreadable.Add((path, reason));
    }
}
