using CnnSpec.Ir;
using CnnSpec.Runtime.Data;

namespace CnnSpec.Runtime.Training;

/// <summary>All that a run is made from.</summary>
/// <param name="Limit">Use only so many training images, the first of a seeded order; null for all.</param>
/// <param name="Folder">The run folder; made where it is missing.</param>
/// <param name="Spec">The spec's path and text, kept in the run folder.</param>
public sealed record TrainingPlan(
    Program Program,
    Recipe Recipe,
    DataSet Data,
    string Folder,
    (string Path, string Text) Spec,
    int? Limit = null
);
