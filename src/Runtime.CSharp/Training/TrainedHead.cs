using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Operators;

namespace CnnSpec.Runtime.Training;

/// <summary>Whether a network's head fits the data that it is trained on: one output for each class.</summary>
public static class TrainedHead
{
    /// <exception cref="InputError">The head gives a map, or another number of outputs than there are classes.</exception>
    public static void Require(Program program, DataSet data) =>
        Require(program, data.Name, data.Train.ClassNames.Count);

    /// <inheritdoc cref="Require(Program, DataSet)"/>
    /// <param name="name">What messages call the data.</param>
    public static void Require(Program program, string name, int classes)
    {
        var output = ProgramModule.outputShape(program);
        if (output.Length != 1)
            throw new InputError(
                $"the network gives {ShapeModule.describe(output)} for an image, not a number for each class",
                "end it with flatten and linear(classes)"
            );
        if (output.Head != classes)
            throw new InputError(
                $"{name} has {classes:N0} classes, and the network's head gives {output.Head:N0} outputs",
                $"let the last layer have {classes} outputs, as in --set classes={classes} where the spec has that parameter"
            );
    }
}
