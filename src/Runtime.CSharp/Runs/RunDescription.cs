using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Networks;

namespace CnnSpec.Runtime.Runs;

/// <summary>
/// <c>network.json</c>: what a run is of, with the versions and hashes that say whether another is the same. The expanded
/// IR and the recipe stand in it whole, so that neither the spec nor its imports are needed again.
/// </summary>
/// <param name="Scaling">How pixels are scaled; null where they stay from 0 to 1.</param>
/// <param name="DataFingerprint">See <see cref="DataSet.Fingerprint"/>.</param>
/// <param name="LeftOut">See <see cref="DataSet.LeftOut"/>.</param>
/// <param name="Limit">Only so many training images; null for all.</param>
/// <param name="Precision">What activations are kept in.</param>
/// <param name="Device">Where it was trained.</param>
/// <param name="Threads">Of one operation; the order of sums, and so the last bits, depend on it.</param>
internal sealed record RunDescription(
    Program Program,
    Recipe Recipe,
    IReadOnlyList<string> ClassNames,
    ChannelStatistics? Scaling,
    string DataFingerprint,
    IReadOnlyList<string> LeftOut,
    int? Limit,
    int Threads,
    Precision Precision,
    string Device,
    string Engine,
    string Version,
    string SpecPath,
    string SpecSha256
)
{
    public const string FileName = "network.json";

    /// <summary>Since the second, the file ends with a checksum of all that stands before it.</summary>
    private const int Format = 2;
    private const string Checksum = "sha256";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public void Write(string folder)
    {
        var json = new JsonObject
        {
            ["format"] = Format,
            ["cnnspec"] = Version,
            ["engine"] = Engine,
            ["threads"] = Threads,
            ["precision"] = Precision.ToString(),
            ["device"] = Device,
            ["spec"] = SpecPath,
            ["spec_sha256"] = SpecSha256,
            ["data_sha256"] = DataFingerprint,
            ["left_out"] = new JsonArray([.. LeftOut.Select(path => (JsonNode)path)]),
            ["limit"] = Limit,
            ["class_names"] = new JsonArray([.. ClassNames.Select(name => (JsonNode)name)]),
            ["scaling"] = Scaling is null
                ? null
                : new JsonObject
                {
                    ["mean"] = new JsonArray([.. Scaling.Mean.Select(value => (JsonNode)value)]),
                    ["deviation"] = new JsonArray([.. Scaling.Deviation.Select(value => (JsonNode)value)]),
                },
            ["recipe"] = IrJson.toJson(Recipe),
            ["program"] = IrJson.toJson(Program),
        };
        json[Checksum] = ChecksumOf(json);
        byte[] text = Encoding.UTF8.GetBytes(json.ToJsonString(Indented));
        AtomicFile.Write(Path.Combine(folder, FileName), stream => stream.Write(text));
    }

    /// <exception cref="InputError">The folder is not of a run, or the file is damaged.</exception>
    public static RunDescription Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
            throw new InputError(
                $"{folder} is not the folder of a run: it has no {FileName}",
                "name a folder that 'cnnspec train' made, such as runs/lenet5"
            );
        try
        {
            var json = RequiredJson.ParseObject(AtomicFile.Read(file));
            Verify(json);
            return new RunDescription(
                IrJson.ofJson<Program>(json.Required("program")),
                IrJson.ofJson<Recipe>(json.Required("recipe")),
                [.. json.Required("class_names").Array().Select(name => name.Value<string>())],
                json["scaling"] is { } scaling
                    ? new ChannelStatistics(
                        Floats(scaling.Object().Required("mean")),
                        Floats(scaling.Object().Required("deviation"))
                    )
                    : null,
                json.Required("data_sha256").Value<string>(),
                [.. json["left_out"]?.Array().Select(path => path.Value<string>()) ?? []],
                json["limit"]?.GetValue<int>(),
                json.Required("threads").Value<int>(),
                Enum.Parse<Precision>(json.Required("precision").Value<string>()),
                json["device"]?.GetValue<string>() ?? "cpu",
                json.Required("engine").Value<string>(),
                json.Required("cnnspec").Value<string>(),
                json.Required("spec").Value<string>(),
                json.Required("spec_sha256").Value<string>()
            );
        }
        catch (Exception e)
            when (e
                    is JsonException
                        or InvalidOperationException
                        or FormatException
                        or ArgumentException
                        or IrJson.MalformedIr
            )
        {
            throw new InputError($"{file} is damaged", "train again, or take the folder from a backup", e);
        }
    }

    /// <summary>One changed digit of a recipe would train another network, and nobody would know.</summary>
    /// <exception cref="JsonException">It is not what was written.</exception>
    private static void Verify(JsonObject json)
    {
        bool isOlder = json.Required("format").Value<int>() < Format;
        if (isOlder && !json.ContainsKey(Checksum))
            return;
        string written = json.Required(Checksum).Value<string>();
        json.Remove(Checksum);
        if (written != ChecksumOf(json))
            throw new JsonException("its checksum is another");
    }

    private static string ChecksumOf(JsonObject json) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json.ToJsonString(Indented))));

    private static float[] Floats(JsonNode array) => [.. array.Array().Select(value => value.Value<float>())];
}
