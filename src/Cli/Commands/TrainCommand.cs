using System.CommandLine;
using System.Globalization;
using CnnSpec.Cli.Output;
using CnnSpec.Elaborate;
using CnnSpec.Ir;
using CnnSpec.Operators;
using CnnSpec.Runtime;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec train</c>: a spec's recipe, carried out.</summary>
public sealed class TrainCommand
{
    private readonly Argument<string> _file = new("file") { Description = "The spec" };
    private readonly SpecOptions _spec = new();
    private readonly Option<string?> _recipe = new("--recipe")
    {
        Description = "Which train section; the first if unsaid",
        HelpName = "name",
    };
    private readonly Option<string?> _data = new("--data")
    {
        Description = "mnist, fashion-mnist, cifar10, shapes, or a folder of images",
        HelpName = "name|folder",
    };
    private readonly Option<int?> _epochs = PositiveOption.Create<int?>("--epochs", "Passes over the training images");
    private readonly Option<int?> _batch = PositiveOption.Create<int?>("--batch", "Images a step");
    private readonly Option<double?> _rate = PositiveOption.Create<double?>("--lr", "Learning rate");
    private readonly Option<long?> _seed = new("--seed") { Description = "Seed of weights, order and augmentation" };
    private readonly Option<int?> _limit = PositiveOption.Create<int?>(
        "--limit",
        "Use only the first N training images"
    );
    private readonly Option<string?> _out = new("--out")
    {
        Description = "The run folder; runs/NAME if unsaid",
        HelpName = "folder",
    };

    public static Command Create()
    {
        var self = new TrainCommand();
        var command = new Command(
            "train",
            """
            Train a spec's network by its recipe and test it at the end. Data sets are fetched and verified on first use.

            Examples:
              cnnspec train specs/mnist/lenet5.cnn
              cnnspec train specs/mnist/lenet5.cnn --data shapes --epochs 3
              cnnspec train specs/mnist/lenet5.cnn --data photos/ --lr 0.01 --out runs/mine
            """
        );
        command.Arguments.Add(self._file);
        self._spec.AddTo(command);
        foreach (
            var option in new Option[]
            {
                self._recipe,
                self._data,
                self._epochs,
                self._batch,
                self._rate,
                self._seed,
                self._limit,
                self._out,
            }
        )
            command.Options.Add(option);
        command.SetAction(self.Run);
        return command;
    }

    private int Run(ParseResult arguments)
    {
        string file = arguments.GetValue(_file)!;
        if (Specs.Fitting(file, _spec.Read(arguments)) is not var (network, text))
            return ExitCode.WrongInput;

        var recipe = Adjust(Choose(network, file, arguments), arguments);
        RefuseOtherClasses(network.Program, recipe.Data);
        using var interruption = new Interruption();
        var data = DataAccess.Open(recipe.Data, [.. network.Program.Input], recipe.Seed, interruption.Token);
        string folder = arguments.GetValue(_out) ?? FreeFolder(Path.GetFileNameWithoutExtension(file));
        var plan = new TrainingPlan(network.Program, recipe, data, folder, (file, text), arguments.GetValue(_limit));

        var test = TrainingDisplay.Follow(tell => new TrainingRun(plan, tell).Execute(interruption.Token));
        if (test is null)
        {
            Terminal.Note(
                $"stopped; the weights so far are in {folder}: try them with 'cnnspec eval {folder} --weights last'"
            );
            return ExitCode.Interrupted;
        }
        Terminal.Result($"test accuracy: {test.Accuracy.ToString("0.0000", CultureInfo.InvariantCulture)}");
        return ExitCode.Fine;
    }

    /// <summary>The recipe that the command line or the file chooses, on the data that the command line names.</summary>
    private Recipe Choose(Compile.Network network, string file, ParseResult arguments)
    {
        string? name = arguments.GetValue(_recipe);
        var found = network.Recipes.FirstOrDefault(recipe => name is null || recipe.Name == name);
        string? data = arguments.GetValue(_data);
        if (found is null && name is not null)
            throw new InputError(
                $"{file} has no recipe called {name}",
                network.Recipes.IsEmpty
                    ? "it has none"
                    : $"it has {string.Join(", ", network.Recipes.Select(r => r.Name))}"
            );
        if (data is not null)
        {
            var source = DataAccess.Named(data, found?.Data.Validation ?? 0);
            return found is null ? Recipes.fallback(source) : found.With(source, null, null, null);
        }
        return found
            ?? throw new InputError(
                $"{file} does not say how to train",
                "add a section such as 'train { data = mnist() }', or name data with --data"
            );
    }

    private Recipe Adjust(Recipe recipe, ParseResult arguments)
    {
        var adjusted = recipe.With(
            null!,
            arguments.GetValue(_epochs),
            arguments.GetValue(_batch),
            arguments.GetValue(_seed)
        );
        return arguments.GetValue(_rate) is { } rate ? RecipeModule.withLearningRate(rate, adjusted) : adjusted;
    }

    /// <summary>What the compiler checks for the recipe's own data, for <c>--data</c>.</summary>
    private static void RefuseOtherClasses(Ir.Program program, DataSource data)
    {
        var output = ProgramModule.outputShape(program);
        if (output.Length != 1)
            throw new InputError(
                $"the network gives {ShapeModule.describe(output)} for an image, not a number for each class",
                "end it with flatten and linear(classes)"
            );
        if (data.Classes is { Value: var classes } && classes != output.Head)
            throw new InputError(
                $"{data.Name} has {classes} classes, and the network's head gives {output.Head}",
                $"let the last layer have {classes} outputs, as in --set classes={classes} where the spec has that parameter"
            );
    }

    /// <summary><c>runs/name</c>, or <c>runs/name-2</c> and so on: no run is ever overwritten unasked.</summary>
    private static string FreeFolder(string name)
    {
        string Candidate(int number) => Path.Combine("runs", number == 1 ? name : $"{name}-{number}");
        int number = 1;
        while (Directory.Exists(Candidate(number)))
            number++;
        return Candidate(number);
    }
}
