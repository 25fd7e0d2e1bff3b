namespace CnnSpec.Runtime.Runs;

/// <summary>How well a network does on some images.</summary>
/// <param name="Loss">Mean cross-entropy.</param>
/// <param name="Confusion">What was predicted as what.</param>
/// <param name="Mistakes">The wrong guesses in which the network was most confident, most confident first.</param>
public sealed record Evaluation(
    int Images,
    double Loss,
    double Accuracy,
    double Top5Accuracy,
    Confusion Confusion,
    IReadOnlyList<Mistake> Mistakes
);

/// <summary>A wrong guess.</summary>
/// <param name="Image">Its place among the images.</param>
/// <param name="Probability">What the network gave the class it guessed.</param>
public sealed record Mistake(int Image, int Label, int Guess, double Probability);
