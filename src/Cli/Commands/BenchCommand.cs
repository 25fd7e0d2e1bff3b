using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using CnnSpec.Cli.Output;
using CnnSpec.Elaborate;
using CnnSpec.Runtime.Benchmarks;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Training;
using Spectre.Console;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec bench</c>: how fast a spec's network trains and answers here, and which layers take the time.</summary>
public static class BenchCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The spec" };
        var spec = new SpecOptions();
        var batch = NumberOption.Create<int>("--batch", "Images a step");
        batch.DefaultValueFactory = _ => 128;
        var steps = NumberOption.Create<int>("--steps", "Steps to measure at least, besides the warm-up");
        steps.DefaultValueFactory = _ => 10;
        var threads = NumberOption.Create<int?>("--threads", "Threads of one operation; all processors if unsaid");
        var precision = PrecisionOption.Create();
        var device = DeviceOption.Create();
        var plain = new Option<bool>("--plain") { Description = "Run each operation by itself, to compare with" };
        var layers = new Option<bool>("--layers") { Description = "Each layer's time against the machine's limits" };
        var format = OutputFormat.Option();
        var command = new Command(
            "bench",
            """
            Measure a network: training and inference in images a second, peak memory and, with --layers, each layer's time
            beside the least time that this machine's arithmetic and memory allow it.

            Examples:
              cnnspec bench specs/resnet.cnn
              cnnspec bench specs/densenet.cnn --batch 64 --precision fp32 --layers
            """
        );
        command.Arguments.Add(file);
        spec.AddTo(command);
        foreach (var option in new Option[] { batch, steps, threads, precision, device, plain, layers, format })
            command.Options.Add(option);
        command.SetAction(result =>
        {
            if (Specs.Fitting(result.GetValue(file)!, spec.Read(result)) is not var (network, _))
                return ExitCode.WrongInput;
            var place = DeviceOption.Read(result, device);
            using var interruption = new Interruption();
            var recipe = network.Recipes.FirstOrDefault() ?? Recipes.fallback(DataSources.Named("shapes"));
            var chosen = PrecisionOption.Read(
                result,
                precision,
                () =>
                    FasterPrecision.Of(
                        network.Program,
                        recipe,
                        result.GetValue(batch),
                        place,
                        result.GetValue(threads),
                        interruption.Token
                    )
            );
            var report = Benchmark.Run(
                network.Program,
                recipe,
                new BenchmarkOptions(
                    result.GetValue(batch),
                    result.GetValue(steps),
                    result.GetValue(threads),
                    new Execution(chosen, !result.GetValue(plain)) { Device = place },
                    result.GetValue(layers)
                ),
                interruption.Token
            );
            if (result.GetValue(format) == "json")
                Terminal.Result(ToJson(report).ToJsonString(OutputFormat.Indented));
            else
                Print(report);
            return ExitCode.Fine;
        });
        return command;
    }

    private static void Print(BenchmarkReport report)
    {
        if (report.Layers is { } profile)
            Print(profile);
        Terminal.Result(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                {report.Network}: batch {report.Batch}, {report.Threads} threads, {PrecisionOption.NameOf(
                    report.Execution.Precision
                )}, {report.Execution.Device}
                training   {report.Training.ImagesPerSecond:N0} images/s ({report.Training.StepSeconds * 1e3:0.0} ms a step)
                inference  {report.Inference.ImagesPerSecond:N0} images/s ({report.Inference.StepSeconds * 1e3:0.0} ms a batch)
                memory     {report.PeakMemory / 1e6:N0} MB at its peak
                """
            )
        );
    }

    private static void Print(LayerProfile profile)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("layer", "does");
        foreach (string number in new[] { "forward ms", "backward ms", "GFLOP/s", "GB/s", "of the limit" })
            table.AddColumn(new TableColumn(number).RightAligned());
        foreach (var layer in profile.Times.OrderByDescending(layer => layer.ForwardSeconds + layer.BackwardSeconds))
            table.AddRow(
                Markup.Escape(layer.Path),
                layer.Operation,
                Number(layer.ForwardSeconds * 1e3, "0.00"),
                layer.BackwardSeconds > 0 ? Number(layer.BackwardSeconds * 1e3, "0.00") : "",
                layer.Flops > 0 ? Number(layer.Flops / layer.ForwardSeconds / 1e9, "0") : "",
                Number(layer.Bytes / layer.ForwardSeconds / 1e9, "0.0"),
                Number(profile.Limits.LeastSeconds(layer.Flops, layer.Bytes) / layer.ForwardSeconds, "0%")
            );
        Terminal.Write(table);
        Terminal.Result(
            $"this machine: {Number(profile.Limits.Flops / 1e9, "0")} GFLOP/s, {Number(profile.Limits.Bandwidth / 1e9, "0.0")} GB/s"
        );
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static JsonObject ToJson(BenchmarkReport report)
    {
        var json = new JsonObject
        {
            ["network"] = report.Network,
            ["batch"] = report.Batch,
            ["threads"] = report.Threads,
            ["precision"] = PrecisionOption.NameOf(report.Execution.Precision),
            ["device"] = report.Execution.Device.ToString(),
            ["training"] = ToJson(report.Training),
            ["inference"] = ToJson(report.Inference),
            ["peak_memory_bytes"] = report.PeakMemory,
        };
        if (report.Layers is { } profile)
        {
            json["machine"] = new JsonObject
            {
                ["flops"] = profile.Limits.Flops,
                ["bytes_per_second"] = profile.Limits.Bandwidth,
            };
            json["layers"] = new JsonArray([
                .. profile.Times.Select(layer =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["path"] = layer.Path,
                            ["operation"] = layer.Operation,
                            ["forward_seconds"] = layer.ForwardSeconds,
                            ["backward_seconds"] = layer.BackwardSeconds,
                            ["flops"] = layer.Flops,
                            ["bytes"] = layer.Bytes,
                            ["least_seconds"] = profile.Limits.LeastSeconds(layer.Flops, layer.Bytes),
                        }
                ),
            ]);
        }
        return json;
    }

    private static JsonObject ToJson(Rate rate) =>
        new()
        {
            ["images_per_second"] = rate.ImagesPerSecond,
            ["step_seconds"] = rate.StepSeconds,
            ["processor_seconds"] = rate.ProcessorSeconds,
        };
}
