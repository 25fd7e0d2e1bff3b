using CnnSpec.Data;

namespace CnnSpec.Cli.Tests;

/// <summary>What is no file, empty words and characters that steer a terminal: a message, and the right exit code.</summary>
public class HostileInputTests
{
    private const string Net = "network N(classes = 2) { input 1 x 8 x 8; flatten; linear(classes) }";

    private static void IsRefused(Finished done, int code, string why)
    {
        Assert.That((done.Code, done.Errors.Contains(why)), Is.EqualTo((code, true)), done.Errors);
        done.ShowsNoInternals();
    }

    [Test]
    public void Pipes_devices_and_folders_are_refused_where_a_file_is_read()
    {
        using var tool = new Tool();
        string spec = tool.Write("n.cnn", Net);
        string pipe = Path.Combine(tool.Folder, "pipe");
        System.Diagnostics.Process.Start("mkfifo", pipe).WaitForExit();
        string imports = tool.Write("i.cnn", "import \"pipe\"\n" + Net);
        foreach (string path in new[] { pipe, "/dev/zero" })
        {
            IsRefused(tool.Run("check", path), 1, "is a pipe or a device");
            IsRefused(
                tool.Run("train", spec, "--data", "shapes", "--set", "classes=10", "--from", path),
                1,
                "is a pipe or a device"
            );
            IsRefused(tool.Run("predict", spec, "--weights", path, "x.png"), 1, "is a pipe or a device");
            IsRefused(
                tool.Run("predict", spec, "--weights", path, "--input", path, "--output", "y.npy"),
                1,
                "is a pipe or a device"
            );
        }
        IsRefused(tool.Run("check", imports), 1, "pipe");
        IsRefused(tool.Run("fmt", tool.Folder + "/none.cnn"), 1, "none.cnn");
        IsRefused(tool.Run("export", spec, "--out", tool.Folder, "--to", "onnx"), 3, "cannot be written");
    }

    [TestCase("check", "")]
    [TestCase("train", "")]
    [TestCase("train", "n.cnn", "--data", "")]
    [TestCase("train", "n.cnn", "--out", " ")]
    [TestCase("train", "--resume", "")]
    [TestCase("train", "n.cnn", "--from", "")]
    [TestCase("eval", "")]
    [TestCase("predict", "", "x.png")]
    [TestCase("predict", "run", "")]
    [TestCase("export", "n.cnn", "--to", "onnx", "--out", "")]
    [TestCase("graph", "n.cnn", "--out", "")]
    [TestCase("new", "")]
    [TestCase("convert", "")]
    [TestCase("explain", "")]
    [TestCase("data", "show", "")]
    public void An_empty_text_is_a_mistake_of_usage(params string[] arguments)
    {
        using var tool = new Tool();
        tool.Write("n.cnn", Net);
        IsRefused(tool.Run(arguments), 2, "is given an empty text");
    }

    [Test]
    public void A_spec_is_read_from_standard_input()
    {
        using var tool = new Tool();
        tool.Write("n.cnn", Net);
        var done = tool.RunInShell("check - < n.cnn");
        Assert.That((done.Code, done.LastLine), Is.EqualTo((0, "-: N fits: 1x8x8 -> 2, 130 parameters")), done.Errors);
        IsRefused(tool.RunInShell("check - < /dev/zero"), 1, "a spec has at most 1048576");
    }

    /// <summary>ESC colours and moves, BEL rings, U+202E turns around what follows.</summary>
    [Test]
    public void Characters_that_steer_a_terminal_are_shown_and_not_obeyed()
    {
        using var tool = new Tool();
        const string wicked = "a\e[31m\u0007\u202eb";
        const string shown = "a\\u001b[31m\\u0007\\u202eb";
        for (int i = 0; i < 10; i++)
            foreach (string name in new[] { wicked, "plain" })
            {
                string path = Path.Combine(tool.Folder, "photos", name, $"{i}.png");
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                var shape = new ImageShape(1, 8, 8);
                File.WriteAllBytes(path, ImageDecoder.EncodePng(new Raster(shape, new byte[shape.Size])));
            }
        void IsShown(Finished done)
        {
            Assert.That(done.Output + done.Errors, Does.Contain(shown));
            Assert.That((done.Output + done.Errors).IndexOfAny(['\e', '\a', '\u202e']), Is.LessThan(0));
        }
        string spec = tool.Write("n.cnn", Net);
        Assert.That(tool.Run("train", spec, "--data", "photos", "--out", "run", "--epochs", "1").Code, Is.Zero);
        IsShown(tool.Run("eval", "run"));
        IsShown(tool.Run("predict", "run", $"photos/{wicked}/0.png"));
        IsShown(tool.Run("eval", "run", "--data", wicked));
        IsShown(tool.Run("check", wicked));
        string report = File.ReadAllText(Path.Combine(tool.Folder, "run", "report.html"));
        Assert.That(report.IndexOfAny(['\e', '\a', '\u202e']), Is.LessThan(0));
        IsShown(
            tool.Run(
                "check",
                tool.Write("assert.cnn", $"network N {{ input 1 x 8 x 8; assert params > 9, \"{wicked}\" }}")
            )
        );
    }

    [Test]
    public void Weights_that_are_no_numbers_are_told()
    {
        using var tool = new Tool();
        string spec = tool.Write("n.cnn", Net);
        Assert.That(tool.Run("export", spec, "--out", "w.npz").Code, Is.Zero);
        using (
            var archive = System.IO.Compression.ZipFile.Open(
                Path.Combine(tool.Folder, "w.npz"),
                System.IO.Compression.ZipArchiveMode.Update
            )
        )
        {
            var entry = archive.Entries.Single(one => one.FullName.EndsWith("bias.npy"));
            byte[] bytes;
            using (var reading = entry.Open())
            {
                using var memory = new MemoryStream();
                reading.CopyTo(memory);
                bytes = memory.ToArray();
            }
            BitConverter.GetBytes(float.NaN).CopyTo(bytes, bytes.Length - 4);
            using var stream = entry.Open();
            stream.Write(bytes);
        }
        var done = tool.Run("export", spec, "--weights", "w.npz", "--out", "w.onnx");
        Assert.That(done.Code, Is.Zero, done.Errors);
        Assert.That(
            done.Errors,
            Does.Contain("warning: w.npz: 1 weights hold numbers that are infinite or none (NaN): ")
        );
    }

    [Test, Platform("Linux")]
    public void A_process_that_may_open_few_files_is_told_to_ask_for_more()
    {
        using var tool = new Tool();
        tool.Write("n.cnn", Net);
        IsRefused(tool.RunInShell("check n.cnn", "ulimit -n 64"), 3, "ulimit -n 1024");
        string[] enough = ["train n.cnn --data shapes --set classes=10 --epochs 1 --limit 64 --out run", "check n.cnn"];
        foreach (string command in enough)
            Assert.That(tool.RunInShell(command, "ulimit -n 128").Code, Is.Zero, command);
    }

    [TestCase("{\"foreign\": true}\n", 1)]
    [TestCase("null\n", 1)]
    [TestCase("xyz", 1)]
    [TestCase("\u00ff\u00fe\0\n", 1)]
    [TestCase("", 1)]
    public void Foreign_lines_in_a_runs_metrics_are_named(string text, int code)
    {
        using var tool = new Tool();
        string spec = tool.Write("n.cnn", Net);
        string[] arguments = ["train", spec, "--data", "shapes", "--set", "classes=10", "--limit", "64"];
        Assert.That(tool.Run([.. arguments, "--epochs", "1", "--out", "run"]).Code, Is.Zero);
        tool.Write("run/metrics.jsonl", text);
        var done = tool.Run("train", "--resume", "run", "--epochs", "2");
        done.ShowsNoInternals();
        Assert.That((done.Code, done.Errors.Contains("metrics.jsonl")), Is.EqualTo((code, true)), done.Errors);
    }
}
