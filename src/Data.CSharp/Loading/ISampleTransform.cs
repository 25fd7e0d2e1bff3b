namespace CnnSpec.Data;

/// <summary>
/// One step on one image before it is normalised, such as a random crop. It holds no state between images.
/// </summary>
public interface ISampleTransform
{
    /// <summary>The shape that leaves, given the shape that enters; it is never random.</summary>
    /// <exception cref="InputError">This step cannot work on that shape.</exception>
    ImageShape Output(ImageShape input);

    /// <summary>
    /// Changes the image in place. All random numbers come from <paramref name="random"/>, which belongs to (seed, epoch,
    /// image).
    /// </summary>
    void Apply(Canvas canvas, ref RandomStream random);
}

/// <summary>One step on a whole batch after normalisation, such as mixup.</summary>
public interface IBatchTransform
{
    /// <summary>
    /// Changes the batch in place. All random numbers come from <paramref name="random"/>, which belongs to (seed, epoch,
    /// batch).
    /// </summary>
    void Apply(Batch batch, ref RandomStream random);
}
