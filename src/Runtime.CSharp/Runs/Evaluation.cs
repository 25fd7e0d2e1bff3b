namespace CnnSpec.Runtime.Runs;

/// <summary>How well a network does on some images.</summary>
/// <param name="Loss">Mean cross-entropy.</param>
/// <param name="Confusion">Counts by true class, then by predicted class.</param>
/// <param name="Mistakes">The wrong guesses in which the network was most confident, most confident first.</param>
public sealed record Evaluation(
    int Images,
    double Loss,
    double Accuracy,
    double Top5Accuracy,
    int[][] Confusion,
    IReadOnlyList<Mistake> Mistakes
)
{
    /// <summary>What was predicted as what, commonest first.</summary>
    public IEnumerable<(int Label, int Guess, int Count)> Confusions() =>
        Confusion
            .SelectMany((row, label) => row.Select((count, guess) => (label, guess, count)))
            .Where(pair => pair.label != pair.guess && pair.count > 0)
            .OrderByDescending(pair => pair.count);
}

/// <summary>A wrong guess.</summary>
/// <param name="Image">Its place among the images.</param>
/// <param name="Probability">What the network gave the class it guessed.</param>
public sealed record Mistake(int Image, int Label, int Guess, double Probability);
