using CnnSpec.Ir;

namespace CnnSpec.Cli.Commands;

/// <summary><c>--recipe</c>: which train section of a spec.</summary>
internal static class RecipeChoice
{
    /// <returns>The one of this name, or the first; null where none is named and the spec has none.</returns>
    /// <exception cref="InputError">The spec has none of this name.</exception>
    public static Recipe? Of(Compile.Network network, string file, string? name)
    {
        var found = network.Recipes.FirstOrDefault(recipe => name is null || recipe.Name == name);
        if (found is null && name is not null)
            throw new InputError(
                $"{file} has no recipe called {name}",
                network.Recipes.IsEmpty
                    ? "it has none"
                    : $"it has {string.Join(", ", network.Recipes.Select(recipe => recipe.Name))}"
            );
        return found;
    }
}
