using System.Text.Json.Nodes;

namespace CnnSpec.Cli.Tests;

public class CheckTests
{
    [Test]
    public void A_spec_that_fits_says_so_on_standard_output()
    {
        using var tool = new Tool();
        var done = tool.Run("check", Tool.Spec("mnist/lenet5.cnn"));
        Assert.That(done.Code, Is.Zero);
        Assert.That(done.Output, Does.EndWith("LeNet5 fits: 1x32x32 -> 10, 61,706 parameters\n"));
        Assert.That(done.Errors, Is.Empty);
    }

    [Test]
    public void A_wrong_spec_exits_with_1_and_keeps_standard_output_clean()
    {
        using var tool = new Tool();
        string spec = tool.Write("bad.cnn", "network N {\n  input 3 x 20 x 28\n  conv(8, kernel=30)\n}\n");
        var done = tool.Run("check", spec);
        Assert.That(done.Code, Is.EqualTo(1));
        Assert.That(done.Output, Is.Empty);
        Assert.That(done.Errors, Does.StartWith("error[E0303]"));
        Assert.That(done.Errors, Does.Contain("bad.cnn:3:3"));
        done.ShowsNoInternals();
    }

    [Test]
    public void A_missing_file_is_named_with_a_remedy()
    {
        using var tool = new Tool();
        var done = tool.Run("check", "nowhere.cnn");
        Assert.That(done.Code, Is.EqualTo(1));
        Assert.That(done.Errors, Does.Contain("nowhere.cnn").And.Contain("help:"));
        done.ShowsNoInternals();
    }

    [Test]
    public void Bytes_that_are_no_text_are_refused()
    {
        using var tool = new Tool();
        string path = Path.Combine(tool.Folder, "binary.cnn");
        File.WriteAllBytes(path, [0x6E, 0x65, 0xFF, 0xFE, 0x00]);
        var done = tool.Run("check", path);
        Assert.That(done.Code, Is.EqualTo(1));
        Assert.That(done.Errors, Does.Contain("error[E0104]").And.Contain("UTF-8"));
        done.ShowsNoInternals();
    }

    [TestCase("check")]
    [TestCase("check", "a.cnn", "--set", "nonsense")]
    [TestCase("check", "a.cnn", "--input", "3x")]
    [TestCase("check", "a.cnn", "--format", "xml")]
    [TestCase("train", "a.cnn", "--epochs", "0")]
    [TestCase("predict", "run")]
    [TestCase("frobnicate")]
    [TestCase("train", "a.cnn", "--lr", "0,05")]
    [TestCase("train", "a.cnn", "--lr", "1,000")]
    [TestCase("train", "a.cnn", "--lr", "nan")]
    [TestCase("train", "a.cnn", "--lr", "1e31")]
    [TestCase("train", "a.cnn", "--save-every", "inf")]
    [TestCase("train", "a.cnn", "--seed", "-1")]
    [TestCase("train", "a.cnn", "--seed", "99999999999999999999")]
    [TestCase("train", "a.cnn", "--epochs", "1e9")]
    [TestCase("train", "a.cnn", "--epochs", " 5")]
    [TestCase("train", "a.cnn", "--batch", "2147483647")]
    [TestCase("train", "a.cnn", "--threads", "100000")]
    [TestCase("bench", "a.cnn", "--batch", "1_000")]
    [TestCase("graph", "a.cnn", "--depth", "-1")]
    public void A_wrong_command_line_exits_with_2(params string[] arguments)
    {
        using var tool = new Tool();
        var done = tool.Run(arguments);
        Assert.That(done.Code, Is.EqualTo(2), done.Errors);
        Assert.That(done.Errors, Is.Not.Empty);
        done.ShowsNoInternals();
    }

    /// <summary>A comma for a point made a hundred times the rate, without a word.</summary>
    [Test]
    public void A_number_that_is_none_is_named_with_the_form_that_is()
    {
        using var tool = new Tool();
        var done = tool.Run("train", "a.cnn", "--lr", "0,05");
        Assert.That(done.Errors, Does.Contain("'0,05'").And.Contain("as in 0.05"));
        Assert.That(tool.Run("train", "--help").Output, Does.Contain("(1 to 65,536)"));
    }

    [TestCase("> /dev/full")]
    [TestCase(">&-")]
    public void A_result_that_cannot_be_written_is_an_error_in_words(string redirection)
    {
        using var tool = new Tool();
        var done = tool.RunInShell($"check {Tool.Spec("mnist/lenet5.cnn")} {redirection}");
        Assert.That(done.Code, Is.EqualTo(3));
        Assert.That(done.Errors, Does.Contain("standard output cannot be written"));
        done.ShowsNoInternals();
    }

    [TestCase("2> /dev/full")]
    [TestCase("2>&-")]
    public void Progress_that_nobody_can_read_ends_no_training(string redirection)
    {
        using var tool = new Tool();
        var done = tool.RunInShell(
            $"train {Tool.Spec("mnist/lenet5.cnn")} --data shapes --limit 200 --epochs 1 --out run {redirection}"
        );
        Assert.That(done.Code, Is.Zero);
        Assert.That(done.Output, Does.StartWith("test accuracy: "));
        Assert.That(File.Exists(Path.Combine(tool.Folder, "run", "best.safetensors")));
    }

    [Test]
    public void Json_has_every_diagnostic_with_its_place()
    {
        using var tool = new Tool();
        string spec = tool.Write("bad.cnn", "network N {\n  input 3 x 20 x 28\n  conv(8, kernal=3)\n  rellu\n}\n");
        var done = tool.Run("check", spec, "--format", "json");
        Assert.That(done.Code, Is.EqualTo(1));
        var file = JsonNode.Parse(done.Output)![0]!;
        Assert.That(file["ok"]!.GetValue<bool>(), Is.False);
        var codes = file["diagnostics"]!.AsArray().Select(d => d!["code"]!.GetValue<string>());
        // One slip, one complaint: the misspelt argument is not also missing.
        Assert.That(codes, Is.EqualTo(new[] { "E0203", "E0201" }));
        var unknown = file["diagnostics"]!.AsArray().Last()!;
        Assert.That(unknown["span"]!["line"]!.GetValue<int>(), Is.EqualTo(4));
        Assert.That(unknown["help"]!.GetValue<string>(), Does.Contain("relu"));
    }

    [Test]
    public void Set_and_input_change_the_network_that_is_checked()
    {
        using var tool = new Tool();
        string spec = Tool.Spec("densenet.cnn");
        var done = tool.Run(
            "check",
            spec,
            "--set",
            "growth_rate=32",
            "--set",
            "classes=100",
            "--input",
            "3x64x48",
            "--format",
            "json"
        );
        // The recipe's CIFAR-10 has ten classes; whoever asks for a hundred does not mean to train on it.
        Assert.That(done.Code, Is.Zero, done.Errors);
        var network = JsonNode.Parse(done.Output)![0]!["networks"]![0]!;
        Assert.That(network["input"]!.ToJsonString(), Is.EqualTo("[3,64,48]"));
        Assert.That(network["output"]!.ToJsonString(), Is.EqualTo("[100]"));
        Assert.That(JsonNode.Parse(done.Output)![0]!["diagnostics"]!.AsArray(), Is.Empty);
        Assert.That(tool.Run("summary", spec, "--set", "classes=3").Code, Is.Zero);
    }

    [Test]
    public void No_colour_reaches_a_file()
    {
        using var tool = new Tool();
        tool.Variables["TERM"] = "xterm-256color";
        string spec = tool.Write("bad.cnn", "network N { input 3 x 8 x 8; nothing }");
        Assert.That(tool.Run("check", spec).Errors, Does.Not.Contain("\e["));
    }

    [Test]
    public void Input_sizes_that_leave_no_edge_out_are_found()
    {
        using var tool = new Tool();
        string spec = tool.Write(
            "pools.cnn",
            "network N { input 1 x 12 x 24; max_pool(2); max_pool(3); flatten; linear(2) }"
        );
        var done = tool.Run("check", spec, "--solve-input");
        Assert.That(done.Output, Does.EndWith("no edge is left out at 6x12, 12x24, 18x36, 24x48\n"));
    }

    [Test]
    public void Explaining_an_unknown_code_is_a_wrong_command_line()
    {
        using var tool = new Tool();
        Assert.That(tool.Run("explain", "E0301").Output, Does.Contain("E0301"));
        var done = tool.Run("explain", "E0310");
        Assert.That(done.Code, Is.EqualTo(2));
        done.ShowsNoInternals();
    }

    [Test]
    public void A_summary_adds_up()
    {
        using var tool = new Tool();
        var json = JsonNode.Parse(tool.Run("summary", Tool.Spec("densenet.cnn"), "--format", "json").Output)!;
        Assert.That(json["parameters"]!.GetValue<long>(), Is.EqualTo(239_146));
        var layers = json["layers"]!.AsArray();
        Assert.That(layers.Sum(l => l!["parameters"]!.GetValue<long>()), Is.EqualTo(239_146));
        Assert.That(layers.Sum(l => l!["macs"]!.GetValue<long>()), Is.EqualTo(json["macs"]!.GetValue<long>()));
    }

    [Test]
    public void A_new_spec_fits_and_is_never_written_over_another()
    {
        using var tool = new Tool();
        Assert.That(tool.Run("new", "mine.cnn").Code, Is.Zero);
        var done = tool.Run("check", "mine.cnn");
        Assert.That(done.Code, Is.Zero);
        Assert.That(done.Errors, Is.Empty, "the first spec that a user sees comes with warnings");
        Assert.That(tool.Run("new", "mine.cnn").Code, Is.EqualTo(1));
        Assert.That(tool.Run("fmt", "--check", "mine.cnn").Code, Is.Zero);
    }

    [Test]
    public void A_drawing_folds_blocks_and_opens_each_once()
    {
        using var tool = new Tool();
        var done = tool.Run("graph", Tool.Spec("resnet.cnn"), "--format", "dot");
        Assert.That(done.Output, Does.StartWith("digraph").And.Contain("3×3 conv, 16").And.Contain("cluster_block_0"));
    }
}
