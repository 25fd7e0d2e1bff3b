using System.CommandLine;
using System.Text.Json.Nodes;
using CnnSpec.Cli.Output;
using CnnSpec.Data;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec data</c>: which data sets there are, and fetching them.</summary>
public static class DataCommand
{
    public static Command Create() =>
        new(
            "data",
            """
            List the data sets, fetch one, or look at its images.

            Examples:
              cnnspec data list
              cnnspec data get cifar10
              cnnspec data show cifar10 --augment specs/resnet.cnn
            """
        )
        {
            CreateList(),
            CreateGet(),
            DataShowCommand.Create(),
        };

    private static Command CreateList()
    {
        var format = OutputFormat.Option();
        var command = new Command("list", "The data sets, and which are ready");
        command.Options.Add(format);
        command.SetAction(result => List(result.GetValue(format) == "json"));
        return command;
    }

    private static Command CreateGet()
    {
        var names = new Argument<string[]>("names")
        {
            Description = "Data sets to download, verify and prepare",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("get", "Download, verify and prepare data sets");
        command.Arguments.Add(names);
        command.SetAction(result => Get(result.GetValue(names)!));
        return command;
    }

    private static int List(bool json)
    {
        var states = new DataCatalog().List();
        if (json)
        {
            Terminal.Result(new JsonArray([.. states.Select(ToJson)]).ToJsonString(OutputFormat.Indented));
            return ExitCode.Fine;
        }
        foreach (var (info, prepared, folder, source, note) in states)
        {
            Terminal.Result(
                $"{info.Name, -14} {info.Shape, -9} {info.TrainCount, 6} + {info.TestCount, -6} {(prepared ? "ready" : "not fetched"), -12} {info.Description}"
            );
            if (folder is not null)
                Terminal.Result($"{"", -14} in {folder}, from {source}");
            if (note is not null)
                Terminal.Result($"{"", -14} note: {note}");
        }
        return ExitCode.Fine;
    }

    private static JsonNode ToJson(DataSetState state) =>
        new JsonObject
        {
            ["name"] = state.Info.Name,
            ["description"] = state.Info.Description,
            ["shape"] = OutputFormat.Numbers([
                state.Info.Shape.Channels,
                state.Info.Shape.Height,
                state.Info.Shape.Width,
            ]),
            ["classes"] = new JsonArray([.. state.Info.ClassNames.Select(name => (JsonNode)name)]),
            ["train"] = state.Info.TrainCount,
            ["test"] = state.Info.TestCount,
            ["ready"] = state.Prepared,
            ["folder"] = state.Folder,
            ["source"] = state.Source,
            ["note"] = state.Note,
            ["citation"] = state.Info.Citation,
            ["licence"] = state.Info.Licence,
        };

    private static int Get(string[] names)
    {
        using var interruption = new Interruption();
        foreach (string name in names)
        {
            var installed = DataAccess.Fetch(name, interruption.Token);
            string place = installed.Folder is null ? "" : $" in {installed.Folder}";
            Terminal.Result(
                $"{installed.Name}: {(installed.WasThere ? "was ready" : "ready")}{place}, from {installed.Source}"
            );
            if (installed.Note is { } note)
                Terminal.Note($"note: {note}");
        }
        return ExitCode.Fine;
    }
}
