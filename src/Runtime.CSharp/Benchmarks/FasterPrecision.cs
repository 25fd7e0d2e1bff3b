using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Networks;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Benchmarks;

/// <param name="Measured">How many times as fast bfloat16 was, where that was measured just now.</param>
public readonly record struct PrecisionChoice(Precision Precision, double? Measured);

/// <summary>
/// The precision that trains a network faster on this machine. What a processor can do does not tell: bfloat16 gains a lot
/// on one, next to nothing on another with the same instructions, and on a small network its casts cost more than they
/// save. So a few steps are measured in both, once for each network and machine, and the answer is kept in the cache.
/// </summary>
public static class FasterPrecision
{
    /// <summary>How many times as fast bfloat16 must be, for the digits that it loses.</summary>
    private const double WorthIt = 1.1;

    /// <summary>Multiply-accumulates of a measured step, at most: a tenth of a second.</summary>
    private const double MostMacs = 2e9;

    private const int Steps = 3;

    /// <param name="batch">Images a step; fewer are measured where a step would take long.</param>
    /// <param name="threads">Of one operation; null for all processors.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static PrecisionChoice Of(
        Program program,
        Recipe recipe,
        int batch,
        Device device,
        int? threads,
        CancellationToken stop
    ) => Of(program, recipe, batch, device, threads, Path.Combine(DataCache.UserCache, "precision"), stop);

    /// <param name="cache">The folder that answers are kept in.</param>
    internal static PrecisionChoice Of(
        Program program,
        Recipe recipe,
        int batch,
        Device device,
        int? threads,
        string cache,
        CancellationToken stop
    )
    {
        if (!ProcessorPrecision.HasBFloat16(device))
            return new(Precision.Float32, null);
        if (device.type != TorchSharp.DeviceType.CPU || ProgramModule.outputShape(program).Length != 1)
            return new(Precision.BFloat16, null);
        EngineSetup.Initialise(threads);
        batch = (int)Math.Clamp(MostMacs / Math.Max(1, Summary.totals(program).Macs), 1, batch);
        string file = Path.Combine(cache, Key(program, recipe, batch));
        if (Kept(file) is { } kept)
            return new(Chosen(kept), null);
        double ratio = Measure(program, recipe, batch, stop);
        Keep(file, ratio);
        return new(Chosen(ratio), ratio);
    }

    private static Precision Chosen(double ratio) => ratio >= WorthIt ? Precision.BFloat16 : Precision.Float32;

    /// <summary>The time of a step in float32 by that in bfloat16.</summary>
    private static double Measure(Program program, Recipe recipe, int batch, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var (images, labels) = Benchmark.RandomBatch(program, batch, TorchLibrary.Processor);
        Precision[] both = [Precision.Float32, Precision.BFloat16];
        var networks = Array.ConvertAll(both, precision => new Network(program, new Execution(precision)));
        var steps = Array.ConvertAll(networks, network => new TrainingStep(network, recipe, images, labels));
        var least = new[] { double.PositiveInfinity, double.PositiveInfinity };
        // In turn, so that what else the machine does meets both; the first step of each prepares.
        for (int i = 0; i <= Steps; i++)
        for (int which = 0; which < both.Length; which++)
        {
            stop.ThrowIfCancellationRequested();
            var clock = Stopwatch.StartNew();
            steps[which].Take();
            if (i > 0)
                least[which] = Math.Min(least[which], clock.Elapsed.TotalSeconds);
        }
        foreach (var step in steps)
            step.Dispose();
        foreach (var network in networks)
            network.Dispose();
        return least[0] / least[1];
    }

    /// <summary>A name for all that the answer depends on.</summary>
    private static string Key(Program program, Recipe recipe, int batch)
    {
        string key = string.Join(
            '\n',
            ProcessorPrecision.Name,
            EngineSetup.Description,
            EngineSetup.Threads,
            batch,
            recipe.Optimizer.ToString(),
            IrJson.toJson(program).ToJsonString()
        );
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32];
    }

    private static double? Kept(string file)
    {
        try
        {
            return
                double.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out double ratio)
                && double.IsFinite(ratio)
                ? ratio
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Without a place to keep it the next run measures again.</summary>
    private static void Keep(string file, double ratio)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            AtomicFile.Write(
                file,
                stream => stream.Write(Encoding.UTF8.GetBytes(ratio.ToString("0.###", CultureInfo.InvariantCulture)))
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or EnvironmentError) { }
    }
}
