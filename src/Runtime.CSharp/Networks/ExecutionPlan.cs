using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>A stage made ready to run.</summary>
/// <param name="Inputs">The values it reads.</param>
/// <param name="Output">The value it computes.</param>
/// <param name="Type">What its inputs are cast to; null where it takes them as they come.</param>
internal sealed record PlannedStage(
    Ir.Stage Source,
    Computation Computation,
    int[] Inputs,
    int Output,
    ScalarType? Type,
    LayerWeights[] Layers
)
{
    public bool TrainingOnly => Source.TrainingOnly;

    public bool HasParameters { get; } = Source.Weights.Any(weight => weight.Trainable);
}

/// <summary>Stages in the order they run in, and for each value the last of them that reads it.</summary>
internal sealed record ExecutionPlan(PlannedStage[] Stages, int[] LastUse)
{
    public static ExecutionPlan Of(PlannedStage[] stages, int values)
    {
        var lastUse = new int[stages.Select(stage => stage.Output + 1).Append(values).Max()];
        for (int i = 0; i < stages.Length; i++)
            foreach (int from in stages[i].Inputs)
                lastUse[from] = i;
        return new(stages, lastUse);
    }

    /// <summary>Runs the stages under the gradient mode that is on.</summary>
    /// <param name="wanted">The values asked for.</param>
    /// <returns>Them, float32, as handles of the caller's.</returns>
    public Tensor[] Run(Tensor input, int[] wanted, bool withHeads, bool training)
    {
        var values = new Tensor?[LastUse.Length];
        values[0] = input.alias();
        try
        {
            for (int i = 0; i < Stages.Length; i++)
            {
                var stage = Stages[i];
                if (stage.TrainingOnly && !withHeads)
                    continue;
                values[stage.Output] = Run(stage, values, training);
                // Autograd keeps what the backward pass needs; our own handles end at their last use.
                Release(values, stage, i, wanted);
            }
            return Array.ConvertAll(wanted, value => AsFloat32(values[value]!));
        }
        finally
        {
            foreach (var value in values)
                value?.Dispose();
        }
    }

    public void Release(Tensor?[] values, PlannedStage stage, int index, int[] wanted)
    {
        foreach (int from in stage.Inputs)
            if (LastUse[from] == index && !wanted.Contains(from))
            {
                values[from]?.Dispose();
                values[from] = null;
            }
    }

    private static Tensor Run(PlannedStage stage, Tensor?[] values, bool training)
    {
        var operands = Operands(stage, values, out bool areCast);
        try
        {
            return stage.Computation.Run(operands, training);
        }
        finally
        {
            if (areCast)
                DisposeCasts(stage, values, operands);
        }
    }

    /// <summary>A stage's inputs in the type it takes.</summary>
    public static Tensor[] Operands(PlannedStage stage, Tensor?[] values, out bool areCast)
    {
        areCast = false;
        var operands = new Tensor[stage.Inputs.Length];
        for (int i = 0; i < operands.Length; i++)
        {
            operands[i] = values[stage.Inputs[i]]!;
            if (stage.Type is { } type && operands[i].dtype != type)
                (operands[i], areCast) = (operands[i].to(type), true);
        }
        return operands;
    }

    public static void DisposeCasts(PlannedStage stage, Tensor?[] values, Tensor[] operands)
    {
        for (int i = 0; i < operands.Length; i++)
            if (!ReferenceEquals(operands[i], values[stage.Inputs[i]]))
                operands[i].Dispose();
    }

    public static Tensor AsFloat32(Tensor value) =>
        value.dtype == ScalarType.Float32 ? value.alias() : value.to(ScalarType.Float32);
}
