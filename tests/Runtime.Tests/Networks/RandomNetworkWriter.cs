using System.Text;

namespace CnnSpec.Runtime.Tests.Networks;

/// <summary>Writes random statements; whether they fit is for the compiler to find out.</summary>
internal sealed class RandomNetworkWriter(Random random)
{
    private int _names;

    /// <summary>Random numbers that CNNSPEC_TEST_SEED repeats.</summary>
    public static Random Seeded()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("CNNSPEC_TEST_SEED"), out int given)
            ? given
            : Environment.TickCount & 0xffffff;
        TestContext.Out.WriteLine($"CNNSPEC_TEST_SEED={seed}");
        return new Random(seed);
    }

    public string Network()
    {
        var text = new StringBuilder();
        text.Append($"network N {{\n  input {Of(1, 3, 4, 8)} x {random.Next(9, 40)} x {random.Next(9, 40)}\n");
        for (int statements = random.Next(3, 9); statements > 0; statements--)
            text.Append("  ").Append(Statement(depth: 0)).Append('\n');
        if (random.Next(2) == 0)
            text.Append(
                $"  {Of("global_avg_pool", $"adaptive_max_pool({Size(1, 4)})")}; flatten; linear({Of(2, 10)})\n"
            );
        return text.Append("}\n").ToString();
    }

    private string Statement(int depth) =>
        random.Next(depth < 2 ? 15 : 12) switch
        {
            0 or 1 or 2 => $"conv({Of(4, 8, 12)}, kernel={Size(1, 5)}{Window()}{Groups()}{Padding()})",
            3 => $"conv({Of(4, 8)}, kernel={Size(1, 4)}, padding=\"same\")",
            4 => $"conv_transpose({Of(4, 8)}, kernel={Size(2, 4)}, stride={Size(1, 3)}, padding={Size(0, 1)})",
            5 => $"max_pool({Size(2, 4)}{Stride()}{Optional(", padding=1")}{Optional(", ceil=true")})",
            6 => $"avg_pool({Size(2, 4)}{Stride()}{Optional(", padding=1")}{Optional(", ceil=true")})",
            7 => Of("batch_norm", "group_norm(1)", "instance_norm", "layer_norm(over=\"channels\")"),
            8 => Of("relu", "gelu", "silu", "prelu", "hard_swish", "dropout(0.5)", "drop_path(0.2)"),
            9 => $"upsample({Of(2, 3)})",
            10 => $"pad([{random.Next(3)}, {random.Next(3)}, {random.Next(3)}, {random.Next(3)}])",
            11 => Of("pixel_shuffle(2)", "channel_shuffle(2)", "permute([0, 2, 1])", "slice(0, max(1, channels - 1))"),
            12 => $"concat {{ {Branch(depth)}; {Branch(depth)} }}",
            13 => Residual($"c{_names++}", depth),
            _ => "split(2) as a, b; from a; mul { a; b }",
        };

    private string Residual(string width, int depth) =>
        $"let {width} = channels; add {{ {{ {Statement(depth + 1)}; conv({width}, kernel=3, padding=1) }}; identity }}";

    private string Branch(int depth) =>
        Of(
            "identity",
            $"{{ conv({Of(2, 4)}, kernel=[3, 1], padding=[1, 0]); {Of("relu", "batch_norm")} }}",
            $"{{ {Statement(depth + 1)} }}"
        );

    private string Size(int least, int most) =>
        random.Next(2) == 0
            ? $"{random.Next(least, most + 1)}"
            : $"[{random.Next(least, most + 1)}, {random.Next(least, most + 1)}]";

    private string Window() => Stride() + Optional($", dilation={Size(1, 3)}");

    private string Stride() => Optional($", stride={Size(1, 3)}");

    private string Groups() => Optional(", groups=2");

    private string Padding() =>
        random.Next(3) switch
        {
            0 => $", padding={Size(0, 3)}",
            1 => $", padding=[{random.Next(3)}, {random.Next(3)}, {random.Next(3)}, {random.Next(3)}]",
            _ => "",
        };

    private string Optional(string text) => random.Next(3) == 0 ? text : "";

    private T Of<T>(params T[] items) => items[random.Next(items.Length)];
}
