using System.Text.Json;
using System.Text.Json.Serialization;
using CnnSpec.Ir;
using CnnSpec.Runtime.Runs;

namespace CnnSpec.Runtime.Training;

/// <summary>How far a training run is: with the weights and the optimizer's state, all that going on needs.</summary>
internal sealed class Progress
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Whole epochs behind us, which is the number of the one at hand, from 0.</summary>
    public int Epoch { get; set; }

    /// <summary>The next batch of that epoch, from 0.</summary>
    public int Batch { get; set; }

    /// <summary>Sums over the images of the epoch at hand.</summary>
    public double LossSum { get; set; }
    public long Correct { get; set; }
    public int Seen { get; set; }

    /// <summary>What these images count in the loss: class weights make it another number than <see cref="Seen"/>. Null in
    /// checkpoints of version 0.1, and before the first batch.</summary>
    public double? LossWeight { get; set; }

    /// <summary>Time spent training on them.</summary>
    public double Seconds { get; set; }

    /// <summary>Of the last step.</summary>
    public double LearningRate { get; set; }

    /// <summary>The best validation accuracy so far; null before the first.</summary>
    public double? Best { get; set; }

    /// <summary>Of the lines of <c>metrics.jsonl</c> for the epochs behind us, SHA-256; null before the first, and in checkpoints
    /// of version 0.1.</summary>
    public string? MetricsSha256 { get; set; }

    /// <summary>What a plateau schedule and early stopping wait for.</summary>
    public PlateauWait Plateau { get; set; } = new();
    public StopWait Stop { get; set; } = new();

    [JsonIgnore]
    public double Loss => LossSum / (LossWeight ?? Seen);

    [JsonIgnore]
    public double Accuracy => (double)Correct / Seen;

    /// <param name="weight">What the images count in the loss.</param>
    /// <param name="loss">Its mean over them.</param>
    public void Count(int images, double weight, double loss, long correct)
    {
        LossSum += loss * weight;
        LossWeight = (LossWeight ?? Seen) + weight;
        Correct += correct;
        Seen += images;
    }

    public void BeginNextEpoch()
    {
        (Epoch, Batch) = (Epoch + 1, 0);
        (LossSum, LossWeight, Correct, Seen, Seconds) = (0, null, 0, 0, 0);
    }

    /// <summary>Takes note of how an epoch ended: for the rate's plateau, for early stopping, for the best weights.</summary>
    /// <param name="isBest">Whether its weights are the best so far; without validation the last always are.</param>
    public void Judge(Recipe recipe, EpochMetrics epoch, out bool isBest)
    {
        if (recipe.Schedule is Schedule.Plateau rule)
            Plateau = Plateau.After(
                rule,
                epoch.ValidationAccuracy is null ? epoch.TrainLoss : epoch.ValidationLoss ?? double.NaN
            );
        isBest = epoch.ValidationAccuracy is not { } accuracy || Best is not { } best || accuracy > best;
        if (isBest)
            Best = epoch.ValidationAccuracy;
        if (recipe.EarlyStop is { Value: var early } && epoch.ValidationAccuracy is { } reached)
            Stop = Stop.After(early, reached);
    }

    /// <summary>The epoch at hand, now that all its images were seen.</summary>
    public EpochMetrics Metrics(Evaluation? validation) =>
        new(
            Epoch + 1,
            Loss,
            Accuracy,
            validation?.Accuracy,
            validation is { Loss: var loss } && double.IsFinite(loss) ? loss : null,
            LearningRate,
            Seen / Seconds,
            Seconds
        );

    public string ToJson() => JsonSerializer.Serialize(this, Format);

    /// <exception cref="JsonException">It is not what <see cref="ToJson"/> wrote.</exception>
    public static Progress FromJson(string json) =>
        JsonSerializer.Deserialize<Progress>(json, Format) ?? throw new JsonException();
}
