using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Elaborate;
using CnnSpec.Ir;
using CnnSpec.Runtime;
using CnnSpec.Runtime.Benchmarks;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Reports;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Training;
using TorchSharp;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec train</c>: runs a spec's recipe, or goes on with a run that was stopped.</summary>
public sealed class TrainCommand
{
    /// <summary>For <c>--overfit-batch</c> where no number is given.</summary>
    private const int OverfitSteps = 200;

    private readonly Argument<string?> _file = new("file")
    {
        Description = "The spec",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly SpecOptions _spec = new();
    private readonly Option<string?> _recipe = new("--recipe")
    {
        Description = "Which train section; the first if unsaid",
        HelpName = "name",
    };
    private readonly Option<string?> _data = new("--data")
    {
        Description = "mnist, fashion-mnist, cifar10, shapes, or a folder of images; with --resume where they lie now",
        HelpName = "name|folder",
    };
    private readonly Option<int?> _epochs = NumberOption.Create<int?>("--epochs", "Passes over the training images");
    private readonly Option<int?> _batch = NumberOption.Create<int?>("--batch", "Images a step");
    private readonly Option<double?> _rate = NumberOption.Create<double?>("--lr", "Learning rate");
    private readonly Option<long?> _seed = NumberOption.Create<long?>(
        "--seed",
        "Seed of weights, order and augmentation"
    );
    private readonly Option<int?> _limit = NumberOption.Create<int?>(
        "--limit",
        "Train on N images only, drawn by the seed, each class in its share; as many validate as without it"
    );
    private readonly Option<int> _skipDamaged = NumberOption.Create<int>(
        "--skip-damaged",
        "Leave out up to N images of a folder that cannot be decoded; the run folder lists them"
    );
    private readonly Option<bool> _allowEmpty = new("--allow-empty-classes")
    {
        Description = "Keep classes of a folder that have no images",
    };
    private readonly Option<string?> _out = new("--out")
    {
        Description = "The run folder; runs/NAME if unsaid",
        HelpName = "folder",
    };
    private readonly Option<string?> _from = new("--from")
    {
        Description = "Begin from weights: safetensors, .npz, a PyTorch state dict, the folder of a run",
        HelpName = "file|folder",
    };
    private readonly Option<bool> _partial = new("--partial")
    {
        Description = "Take the weights of --from that match, and let the others begin anew",
    };
    private readonly Option<string?> _resume = new("--resume")
    {
        Description = "Go on with the run in this folder; the result is that of a run never stopped",
        HelpName = "folder",
    };
    private readonly Option<string> _checkpoint = new("--checkpoint")
    {
        Description = "From where to resume: the latest checkpoint, or the previous one where that is damaged",
        DefaultValueFactory = _ => "latest",
    };
    private readonly Option<double?> _saveEvery = NumberOption.Create<double?>(
        "--save-every",
        "Seconds between checkpoints in the midst of an epoch; 30 if unsaid"
    );
    private readonly Option<int?> _overfit = NumberOption.Create<int?>(
        "--overfit-batch",
        "Only prove that the network can learn one batch by heart, in at most N steps; 200 if unsaid"
    );
    private readonly Option<int?> _threads = NumberOption.Create<int?>(
        "--threads",
        "Threads of one operation; all processors if unsaid"
    );

    private readonly Option<string> _precision = PrecisionOption.Create();
    private readonly Option<string> _device = DeviceOption.Create();

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
              cnnspec train specs/resnet.cnn --data photos/ --lr 0.01 --out runs/mine
              cnnspec train --resume runs/mine
              cnnspec train specs/imagenet/resnet18.cnn --data photos/ --from resnet18.pth --partial
            """
        );
        command.Arguments.Add(self._file);
        self._spec.AddTo(command);
        self._overfit.Arity = ArgumentArity.ZeroOrOne;
        self._checkpoint.AcceptOnlyFromAmong("latest", "previous");
        foreach (var option in self.Fixed.Skip(2).Prepend(self._data))
            command.Options.Add(option);
        foreach (
            var option in new Option[]
            {
                self._epochs,
                self._resume,
                self._checkpoint,
                self._saveEvery,
                self._threads,
                self._device,
            }
        )
            command.Options.Add(option);
        command.Validators.Add(self.Validate);
        command.SetAction(self.Run);
        return command;
    }

    /// <summary>What is fixed when a run begins.</summary>
    private IReadOnlyList<Option> Fixed =>
        [
            _spec.Set,
            _spec.Input,
            _recipe,
            _batch,
            _rate,
            _seed,
            _limit,
            _skipDamaged,
            _allowEmpty,
            _precision,
            _out,
            _from,
            _partial,
            _overfit,
        ];

    private void Validate(CommandResult result)
    {
        bool named = result.GetResult(_file) is { Tokens.Count: > 0 };
        if (result.GetValue(_partial) && result.GetValue(_from) is null)
            result.AddError("--partial goes with --from");
        if (result.GetResult(_resume) is null)
        {
            if (!named)
                result.AddError("train needs a spec, or --resume and the folder of a run");
            if (result.GetResult(_checkpoint) is { Implicit: false })
                result.AddError("--checkpoint goes with --resume");
            return;
        }
        if (named)
            result.AddError("--resume needs no spec: the run's folder has it");
        foreach (var option in Fixed.Where(option => result.GetResult(option) is { Implicit: false }))
            result.AddError($"{option.Name} is fixed when a run begins, and --resume goes on with it as it was");
    }

    private int Run(ParseResult arguments)
    {
        using var interruption = new Interruption();
        var plan = arguments.GetValue(_resume) is { } folder
            ? Resumed(folder, arguments, interruption.Token)
            : New(arguments.GetValue(_file)!, arguments, interruption.Token);
        if (plan is null)
            return ExitCode.WrongInput;
        if (plan.Device.type == DeviceType.CPU && EngineSetup.IsWithoutKernels)
            Terminal.Note(
                "note: without the native kernels networks train by TorchSharp's operations, several times slower"
            );
        if (arguments.GetValue(_saveEvery) is { } seconds)
            plan = plan with { SaveEvery = TimeSpan.FromSeconds(seconds) };

        if (arguments.GetResult(_overfit) is { Implicit: false })
            return Overfit(plan, arguments.GetValue(_overfit) ?? OverfitSteps, interruption.Token);

        var test = TrainingDisplay.Follow(tell => new TrainingRun(plan, tell).Execute(interruption.Token));
        if (test is null)
            return ExitCode.Interrupted;
        Terminal.Note($"report: {Path.Combine(plan.Folder, RunReport.FileName)}");
        Terminal.Result($"test accuracy: {test.Accuracy.ToString("0.0000", CultureInfo.InvariantCulture)}");
        return ExitCode.Fine;
    }

    private static int Overfit(TrainingPlan plan, int steps, CancellationToken stop)
    {
        bool learnt = TrainingDisplay.Follow(tell => new OverfitBatch(plan, tell).Execute(steps, stop));
        Terminal.Result(
            learnt
                ? "the network can learn one batch"
                : $"the network did not learn one batch in {steps} steps: try more (--overfit-batch {10 * steps}) or another rate (--lr)"
        );
        return learnt ? ExitCode.Fine : ExitCode.WrongInput;
    }

    /// <summary>Null where the spec has errors, which have been shown.</summary>
    private TrainingPlan? New(string file, ParseResult arguments, CancellationToken stop)
    {
        var options = new FolderOptions
        {
            AllowEmptyClasses = arguments.GetValue(_allowEmpty),
            SkipDamaged = arguments.GetValue(_skipDamaged),
        };
        var named = arguments.GetValue(_data) is { } name ? DataAccess.Named(name, options) : null;
        if (
            TrainedSpec.Read(file, _spec.Read(arguments), arguments.GetValue(_recipe), named, options)
            is not var (network, text, chosen)
        )
            return null;
        var recipe = Adjust(chosen, arguments);
        foreach (string unreached in Recipes.unreached(recipe))
            Terminal.Note($"note: {unreached}");
        string folder = arguments.GetValue(_out) ?? FreeFolder(Path.GetFileNameWithoutExtension(file));
        RefuseAmongImages(folder, recipe.Data);
        if (arguments.GetValue(_from) is { } begun)
            SayWhoseClasses(begun, recipe.Data, options);
        var data = DataAccess.Open(recipe.Data, [.. network.Program.Input], recipe.Seed, stop, options);
        var device = DeviceOption.Read(arguments, _device);
        int? threads = arguments.GetValue(_threads);
        return new TrainingPlan(network.Program, recipe, data, folder, (file, text), arguments.GetValue(_limit))
        {
            Device = device,
            Threads = threads,
            From = arguments.GetValue(_from) is { } weights
                ? new FirstWeights(weights, arguments.GetValue(_partial))
                : null,
            Precision = PrecisionOption.Read(
                arguments,
                _precision,
                () => FasterPrecision.Of(network.Program, recipe, recipe.Batch, device, threads, stop)
            ),
        };
    }

    private TrainingPlan Resumed(string folder, ParseResult arguments, CancellationToken stop)
    {
        var run = RunFolder.Open(folder);
        var recipe = run.Recipe;
        if (arguments.GetValue(_epochs) is { } epochs && epochs != recipe.Epochs)
        {
            if (RecipeModule.dependsOnLength(recipe))
                throw new InputError(
                    $"{folder} was begun with a schedule that ends with epoch {recipe.Epochs}",
                    "resume without --epochs; a run with more is another run from its first step"
                );
            recipe = recipe.With(null!, epochs, null, null);
        }
        if (arguments.GetValue(_data) is { } moved)
        {
            var source = DataAccess.Named(moved, run.FolderOptions);
            recipe = recipe.With(source.WithValidation(recipe.Data.Validation), null, null, null);
        }
        var data = DataAccess.Open(recipe.Data, [.. run.Program.Input], recipe.Seed, stop, run.FolderOptions);
        return new TrainingPlan(run.Program, recipe, data, folder, run.Spec, run.Limit)
        {
            Resume =
                arguments.GetValue(_checkpoint) == "previous" ? CheckpointChoice.Previous : CheckpointChoice.Latest,
            Threads = arguments.GetValue(_threads) ?? run.Threads,
            Precision = run.Precision,
            Device = DeviceOption.Read(arguments, _device),
        };
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

    /// <summary>Files of a run among the images would be a class of them the next time.</summary>
    private static void RefuseAmongImages(string folder, DataSource data)
    {
        if (data.Path != "" && FolderWalk.IsWithin(FolderWalk.Real(folder), FolderWalk.Real(data.Path)))
            throw new InputError(
                $"the run's folder {folder} would lie among the images of {data.Path}",
                "choose a folder elsewhere with --out"
            );
    }

    /// <summary>Other classes than those that a run was trained on: as many of them fit its head, and mean something else.</summary>
    private static void SayWhoseClasses(string run, DataSource data, FolderOptions options)
    {
        if (!Directory.Exists(run) || !RunFolder.IsAt(run))
            return;
        var before = RunFolder.Open(run).ClassNames;
        var now = DataSources.ClassesOf(data, options);
        if (before.Count == now.Count && !before.SequenceEqual(now))
            Terminal.Note(
                $"note: the head's weights are those of {string.Join(", ", before)} and begin as {string.Join(", ", now)}"
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
