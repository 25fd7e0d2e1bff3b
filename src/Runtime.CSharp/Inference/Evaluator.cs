using CnnSpec.Data;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Inference;

/// <summary>Asks a network about many images and compares with their labels.</summary>
public static class Evaluator
{
    /// <summary>More of them tell nothing new.</summary>
    private const int MostMistakes = 24;

    /// <summary>Images a step; memory, not speed, is what bounds it.</summary>
    private const int BatchSize = 250;

    /// <summary>Batches of images as an evaluation takes them: whoever evaluates often keeps the loader, and with it its buffers.</summary>
    public static BatchLoader Batches(IImageSource images, ChannelStatistics? statistics) =>
        new(images, new BatchOptions { BatchSize = BatchSize, Statistics = statistics });

    /// <summary>Runs the network over all images in evaluation mode and leaves it in the mode it was in.</summary>
    /// <param name="batches">From <see cref="Batches"/>.</param>
    public static Evaluation Evaluate(Network network, BatchLoader batches, CancellationToken stop = default)
    {
        bool wasTraining = network.training;
        network.eval();
        using var withoutGradient = no_grad();
        using var weights = network.FixWeights();
        var confusion = new Confusion();
        double loss = 0;
        int inTop5 = 0;
        var mistakes = new PriorityQueue<Mistake, double>();

        foreach (var batch in batches.Epoch(0))
        {
            using var lent = batch;
            stop.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (input, labels, _) = BatchTensors.Of(batch, CPU);
            var logits = network.forward(input).cpu();
            loss += nn.functional.cross_entropy(logits, labels).item<float>() * (double)batch.Count;
            var (sure, best) = logits.softmax(1).topk((int)Math.Min(5, logits.shape[1]), 1);
            float[] probabilities = sure.contiguous().data<float>().ToArray();
            long[] ranked = best.data<long>().ToArray();
            int width = ranked.Length / batch.Count;
            for (int row = 0; row < batch.Count; row++)
            {
                var guesses = ranked.AsSpan(row * width, width);
                confusion.Add((int)batch.Labels[row], (int)guesses[0]);
                if (guesses[0] != batch.Labels[row])
                {
                    var mistake = new Mistake(
                        batch.Indices[row],
                        (int)batch.Labels[row],
                        (int)guesses[0],
                        probabilities[row * width]
                    );
                    mistakes.Enqueue(mistake, mistake.Probability);
                    if (mistakes.Count > MostMistakes)
                        mistakes.Dequeue();
                }
                if (guesses.Contains(batch.Labels[row]))
                    inTop5++;
            }
        }

        network.train(wasTraining);
        return new Evaluation(
            batches.ImageCount,
            loss / batches.ImageCount,
            (double)confusion.Right / batches.ImageCount,
            (double)inTop5 / batches.ImageCount,
            confusion,
            [.. mistakes.UnorderedItems.Select(item => item.Element).OrderByDescending(m => m.Probability)]
        );
    }
}
