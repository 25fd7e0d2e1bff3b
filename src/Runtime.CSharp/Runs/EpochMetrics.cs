using System.Text.Json.Serialization;

namespace CnnSpec.Runtime.Runs;

/// <summary>A line of <c>metrics.jsonl</c>. Accuracies are fractions; the rate is that of the last step.</summary>
/// <param name="ValidationAccuracy">Null where nothing was held out.</param>
/// <param name="ValidationLoss">Mean cross-entropy; null where nothing was held out, or where it is not finite: running
/// statistics can be far off for a while, and JSON has no infinity.</param>
/// <param name="Seconds">For the epoch's training, without validation.</param>
public sealed record EpochMetrics(
    [property: JsonPropertyName("epoch")] int Epoch,
    [property: JsonPropertyName("train_loss")] double TrainLoss,
    [property: JsonPropertyName("train_accuracy")] double TrainAccuracy,
    [property: JsonPropertyName("val_accuracy")] double? ValidationAccuracy,
    [property: JsonPropertyName("val_loss")] double? ValidationLoss,
    [property: JsonPropertyName("lr")] double LearningRate,
    [property: JsonPropertyName("images_per_second")] double ImagesPerSecond,
    [property: JsonPropertyName("seconds")] double Seconds
);
