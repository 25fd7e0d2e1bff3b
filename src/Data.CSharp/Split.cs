namespace CnnSpec.Data;

/// <summary>
/// Which images train and which validate. Each list is sorted, so that reading it in order walks memory forwards.
/// </summary>
public sealed record Split(int[] Train, int[] Validation)
{
    /// <summary>
    /// Holds <paramref name="validation"/> of <paramref name="count"/> images back, drawn uniformly by
    /// <paramref name="seed"/>.
    /// </summary>
    /// <exception cref="InputError">More images are to be held back than can be spared: at least one must
    /// train.</exception>
    public static Split Hold(int count, int validation, ulong seed)
    {
        if (validation < 0 || validation >= count)
            throw new InputError(
                $"validation = {validation}, but there are {count} training images",
                $"choose a number from 0 to {Math.Max(0, count - 1)}"
            );
        var order = new int[count];
        for (int i = 0; i < count; i++)
            order[i] = i;
        var random = RandomStream.For(seed, Purpose);
        random.Shuffle(order);
        int[] held = order[..validation];
        int[] kept = order[validation..];
        Array.Sort(held);
        Array.Sort(kept);
        return new Split(kept, held);
    }

    /// <summary>"split" in ASCII: keeps this stream apart from the shuffling of the same seed.</summary>
    private const ulong Purpose = 0x73706C6974;
}
