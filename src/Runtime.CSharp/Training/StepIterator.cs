using CnnSpec.Data;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>A batch and its place in the optimizer's step that it belongs to.</summary>
/// <param name="ImagesOfStep">Images of all batches of the step.</param>
/// <param name="Begins">The step's gradients begin with it.</param>
/// <param name="Ends">The weights change after it.</param>
/// <param name="Step">The number of the step since the run's first, from 0.</param>
internal readonly record struct StepPart(Batch Batch, int ImagesOfStep, bool Begins, bool Ends, long Step);

/// <summary>The batches of an epoch as steps of the optimizer: several batches each where gradients are accumulated.</summary>
internal sealed class StepIterator(BatchLoader batches, Recipe recipe)
{
    /// <summary>Steps of the optimizer; the last may have fewer batches.</summary>
    public int StepsPerEpoch => (batches.BatchCount + recipe.Accumulate - 1) / recipe.Accumulate;

    /// <summary>What is left of an epoch from a batch on, which begins a step. Dispose each batch when done with it.</summary>
    public IEnumerable<StepPart> Epoch(int epoch, int start)
    {
        int most = recipe.Accumulate * recipe.Batch;
        foreach (var batch in batches.Epoch(epoch, start))
        {
            int step = batch.Ordinal / recipe.Accumulate;
            int imagesOfStep = Math.Min(most, batches.ImageCount - step * most);
            int place = batch.Ordinal % recipe.Accumulate;
            yield return new StepPart(
                batch,
                imagesOfStep,
                Begins: place == 0,
                Ends: place == recipe.Accumulate - 1 || batch.Ordinal == batches.BatchCount - 1,
                Step: (long)epoch * StepsPerEpoch + step
            );
        }
    }
}
