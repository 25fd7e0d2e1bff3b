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

    /// <summary>
    /// Draws <paramref name="limit"/> of some images by <paramref name="seed"/>, in which each class has its share to within one
    /// image, and at least one where there are enough. Images of a folder stand class by class: the first of them would be of one class alone.
    /// </summary>
    /// <param name="indices">Images of <paramref name="source"/>, sorted.</param>
    /// <returns>Sorted; all of them where there are no more.</returns>
    public static int[] Draw(IImageSource source, int[] indices, int limit, ulong seed)
    {
        if (limit >= indices.Length)
            return indices;
        var random = RandomStream.For(seed, DrawPurpose);
        var classes = indices
            .GroupBy(source.Label)
            .OrderBy(group => group.Key)
            .Select(group => group.ToArray())
            .ToArray();
        // What is over after rounding down goes to those that lost most by it: the largest remainders.
        double share = (double)limit / indices.Length;
        // A class that is rare keeps an image, as long as there are as many images to draw as classes.
        int least = limit >= classes.Length ? 1 : 0;
        int[] counts = [.. classes.Select(images => Math.Max(least, (int)(images.Length * share)))];
        while (counts.Sum() > limit)
            counts[Array.IndexOf(counts, counts.Max())]--;
        foreach (
            int most in Enumerable
                .Range(0, classes.Length)
                .OrderByDescending(c => classes[c].Length * share - counts[c])
                .Take(limit - counts.Sum())
        )
            counts[most]++;
        var drawn = new List<int>(limit);
        for (int c = 0; c < classes.Length; c++)
        {
            random.Shuffle(classes[c]);
            drawn.AddRange(classes[c].AsSpan(0, counts[c]));
        }
        drawn.Sort();
        return [.. drawn];
    }

    /// <summary>"draw" in ASCII.</summary>
    private const ulong DrawPurpose = 0x64726177;

    /// <summary>"split" in ASCII: keeps this stream apart from the shuffling of the same seed.</summary>
    private const ulong Purpose = 0x73706C6974;
}
