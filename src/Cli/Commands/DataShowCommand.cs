using System.CommandLine;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec data show</c>: a contact sheet of images, and of what a recipe makes of them.</summary>
public static class DataShowCommand
{
    private const int UsualCount = 32;

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "A data set, or a folder of images" };
        var augment = new Option<string?>("--augment")
        {
            Description = "The spec whose recipe's augmentation is shown below the originals",
            HelpName = "spec",
        };
        var recipe = new Option<string?>("--recipe")
        {
            Description = "Which train section of the spec; the first if unsaid",
            HelpName = "name",
        };
        var count = NumberOption.Create<int?>("--count", $"How many images; {UsualCount} if unsaid");
        var seed = NumberOption.Create<long>("--seed", "Seed of the choice and the augmentation");
        var output = new Option<string?>("--out")
        {
            Description = "The PNG file to write; NAME.png if unsaid",
            HelpName = "file",
        };
        var command = new Command(
            "show",
            """
            Write a contact sheet: images of the training set, and below each what augmentation makes of it.

            Examples:
              cnnspec data show cifar10
              cnnspec data show cifar10 --augment specs/resnet.cnn --out sheet.png
            """
        );
        command.Arguments.Add(name);
        foreach (var option in new Option[] { augment, recipe, count, seed, output })
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(output) is { } path && !path.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
                result.AddError($"the sheet is a PNG file, and '{path}' does not end in .png");
            if (result.GetValue(recipe) is not null && result.GetValue(augment) is null)
                result.AddError("--recipe goes with --augment");
        });
        command.SetAction(result =>
            Run(
                result.GetValue(name)!,
                result.GetValue(augment),
                result.GetValue(recipe),
                result.GetValue(count) ?? UsualCount,
                result.GetValue(seed),
                result.GetValue(output)
            )
        );
        return command;
    }

    private static int Run(string name, string? spec, string? recipeName, int count, long seed, string? output)
    {
        using var interruption = new Interruption();
        Recipe? recipe = null;
        IReadOnlyList<long>? input = null;
        if (spec is not null)
        {
            if (Specs.Fitting(spec, SpecFile.Settings.None) is not var (network, _))
                return ExitCode.WrongInput;
            recipe = Recipe(network, spec, recipeName);
            input = [.. network.Program.Input];
        }
        var source = DataAccess.Named(name);
        var data = DataAccess.Open(source, input ?? UsualShape(name), seed, interruption.Token);
        var sheet = new ContactSheet(data, recipe, seed, count);
        string path = output ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(name)) + ".png";
        AtomicFile.Write(path, stream => stream.Write(sheet.ToPng()));
        foreach (string[] row in sheet.Classes.Chunk(ContactSheet.ImagesPerRow))
            Terminal.Result(string.Join(", ", row));
        Terminal.Note(recipe is null ? $"{path}: written" : $"{path}: originals above, augmented below");
        return ExitCode.Fine;
    }

    /// <summary>The set's own shape; photographs of a folder are shown at a size that fits a screen.</summary>
    private static long[] UsualShape(string name) =>
        DataCatalog.All.FirstOrDefault(info => info.Name == name.Replace('_', '-')) is { Shape: var shape }
            ? [shape.Channels, shape.Height, shape.Width]
            : [3, 128, 128];

    private static Recipe Recipe(Compile.Network network, string file, string? name) =>
        RecipeChoice.Of(network, file, name)
        ?? throw new InputError(
            $"{file} does not say how to train",
            "name a spec with a section such as 'train { augment = [flip] }'"
        );
}
