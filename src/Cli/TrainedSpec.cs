using System.Globalization;
using CnnSpec.Cli.Commands;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Elaborate;
using CnnSpec.Ir;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Cli;

/// <summary>
/// A spec that is to be trained, with its recipe. Whoever names data means those and not the recipe's: they replace the
/// recipe's before anything is compared, and a network that can have any number of classes gets theirs.
/// </summary>
internal static class TrainedSpec
{
    /// <param name="settings">What the command line changes in the spec.</param>
    /// <param name="recipe">The name of a recipe; null for the first.</param>
    /// <param name="named">Data instead of the recipe's; null for those.</param>
    /// <param name="options">What a folder of images may lack.</param>
    /// <returns>Null where the spec has errors, which have been shown.</returns>
    /// <exception cref="InputError">The spec says nothing of how to train, or its head does not fit the data.</exception>
    public static (Compile.Network Network, string Text, Recipe Recipe)? Read(
        string file,
        SpecFile.Settings settings,
        string? recipe,
        DataSource? named,
        FolderOptions options
    )
    {
        if (Specs.Fitting(file, settings with { Data = RecipeData.Unused }) is not var (draft, _))
            return null;
        var written = RecipeChoice.Of(draft, file, recipe)?.Data;
        var data = named ?? Listed(written, file, options);
        // A recipe's own data set is compared as the spec has it; a folder tells its classes only now.
        bool isAsWritten = ReferenceEquals(data, written);
        settings = settings with
        {
            Set = isAsWritten ? settings.Set : WithClasses(settings.Set, draft, data),
            Data = isAsWritten ? RecipeData.AsWritten : RecipeData.NewInstead(data),
        };
        if (Specs.Fitting(file, settings) is not var (network, text))
            return null;
        if (data.Classes is { Value: var classes })
            TrainedHead.Require(network.Program, data.Title, classes);
        return (network, text, RecipeChoice.Of(network, file, recipe) ?? Recipes.fallback(data));
    }

    private static DataSource Listed(DataSource? written, string file, FolderOptions options) =>
        written is null
            ? throw new InputError(
                $"{file} does not say how to train",
                "add a section such as 'train { data = mnist() }', or name data with --data"
            )
            : DataSources.Listed(written, options);

    /// <summary>The number of classes that the data have, where the network can take it and nobody says another.</summary>
    private static IReadOnlyList<(string, string)> WithClasses(
        IReadOnlyList<(string Name, string Value)> set,
        Compile.Network network,
        DataSource data
    )
    {
        string classes = data.Classes.Value.ToString(CultureInfo.InvariantCulture);
        string? parameter = Recipes.classParameters.FirstOrDefault(network.Arguments.ContainsKey);
        if (parameter is null || set.Any(one => one.Name == parameter) || network.Arguments[parameter] == classes)
            return set;
        Terminal.Note($"note: {parameter}={classes}, as many as {data.Title} has");
        return [.. set, (parameter, classes)];
    }
}
