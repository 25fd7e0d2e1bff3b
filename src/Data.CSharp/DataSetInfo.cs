namespace CnnSpec.Data;

/// <summary>What is known of a data set without opening it.</summary>
/// <param name="Name">What a spec calls it.</param>
/// <param name="Shape">The shape of its images; for a generated set, the one it is best known in.</param>
/// <param name="Citation">The work to cite.</param>
/// <param name="Licence">On what terms it may be used, as its publisher says.</param>
public sealed record DataSetInfo(
    string Name,
    string Description,
    IReadOnlyList<string> ClassNames,
    ImageShape Shape,
    int TrainCount,
    int TestCount,
    string Citation,
    string Licence
);
