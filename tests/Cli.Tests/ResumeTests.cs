using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace CnnSpec.Cli.Tests;

/// <summary>A run that is killed, stopped or damaged loses at most the work since its last checkpoint, and never a bit.</summary>
public class ResumeTests
{
    /// <summary>Dropout, batch statistics, augmentation of images and batches, momentum, an average, steps of several batches,
    /// a rate that waits for the loss: all that has a state or draws numbers.</summary>
    private const string Restless = """
        network Restless {
          input 1 x 12 x 16
          conv(6, kernel=3); batch_norm; relu; dropout(0.2); max_pool(2)
          flatten; dropout(0.5); linear(10)
        }
        train { data = shapes(train_images=3300, test_images=200, validation=100); normalize = dataset()
          augment = [flip, crop(padding=2), cutout(size=3), mixup(alpha=0.4)]
          optimizer = OPTIMIZER; schedule = SCHEDULE; epochs = 12; batch = 16; seed = 5
          accumulate = 3; clip_norm = 2; ema = 0.95; patience = 7 }
        """;

    private const int BatchesPerEpoch = 200;

    private static readonly string[] Optimizers =
    [
        "sgd(lr=0.05, momentum=0.9, nesterov=true, weight_decay=1e-4); decay = weights",
        "adam(lr=0.003)",
        "adamw(lr=0.003)",
        "rmsprop(lr=0.001, momentum=0.5)",
    ];

    private Tool _never = null!;

    /// <summary>Runs that nothing interrupts, to compare with: one for each optimizer.</summary>
    [OneTimeSetUp]
    public void TrainUninterrupted()
    {
        _never = new Tool();
        for (int optimizer = 0; optimizer < Optimizers.Length; optimizer++)
            Assert.That(_never.Run("train", Spec(_never, optimizer), "--out", $"{optimizer}").Code, Is.Zero);
    }

    [OneTimeTearDown]
    public void Clean() => _never.Dispose();

    private static byte[] Weights(Tool tool, string run, string which) =>
        File.ReadAllBytes(Path.Combine(tool.Folder, run, which + ".safetensors"));

    /// <summary>Lines of metrics.jsonl without what a clock measures.</summary>
    private static string[] Metrics(Tool tool, string run) =>
        [
            .. File.ReadLines(Path.Combine(tool.Folder, run, "metrics.jsonl"))
                .Select(line =>
                {
                    var json = JsonNode.Parse(line)!.AsObject();
                    json.Remove("seconds");
                    json.Remove("images_per_second");
                    return json.ToJsonString();
                }),
        ];

    /// <summary>Equal metrics and weights, to the last bit.</summary>
    private static void IsTheSame(Tool tool, string run, Tool otherTool, string other)
    {
        Assert.That(Metrics(tool, run), Is.EqualTo(Metrics(otherTool, other)));
        foreach (string which in new[] { "last", "last-average", "best" })
            Assert.That(Weights(tool, run, which), Is.EqualTo(Weights(otherTool, other, which)), which);
        string Result(Tool of, string folder) => File.ReadAllText(Path.Combine(of.Folder, folder, "test.json"));
        Assert.That(Result(tool, run), Is.EqualTo(Result(otherTool, other)));
    }

    private static string Spec(Tool tool, int optimizer) =>
        tool.Write(
            "restless.cnn",
            Restless
                .Replace("OPTIMIZER", Optimizers[optimizer])
                .Replace("SCHEDULE", optimizer == 1 ? "plateau(factor=0.5, patience=1)" : "one_cycle")
        );

    /// <summary>Batches trained on by the latest checkpoint; 0 where there is none.</summary>
    private static int Saved(Tool tool, string run)
    {
        string folder = Path.Combine(tool.Folder, run, "checkpoints");
        return Directory.Exists(folder) && Directory.GetFiles(folder, "step-*.safetensors") is { Length: > 0 } files
            ? files.Max(StepOf)
            : 0;
    }

    private static int StepOf(string checkpoint) =>
        int.Parse(Path.GetFileNameWithoutExtension(checkpoint)["step-".Length..]);

    private static void WaitFor(Func<bool> happened)
    {
        var clock = Stopwatch.StartNew();
        while (!happened() && clock.Elapsed.TotalSeconds < 60)
            Thread.Sleep(2);
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Killed_at_any_moment_a_run_ends_with_the_weights_of_one_never_killed(int optimizer)
    {
        using var tool = new Tool();
        int seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] arguments = ["train", Spec(tool, optimizer), "--out", "run", "--save-every", "0.01"];
        int midEpoch = 0;
        for (int kill = 0; kill < 4; kill++)
        {
            int before = Saved(tool, "run");
            using var process = tool.Start(arguments);
            // Once it has made headway; the moment after that is chance's.
            WaitFor(() => Saved(tool, "run") > before || process.HasExited);
            Thread.Sleep(random.Next(500));
            process.Kill();
            Tool.Finish(process);
            midEpoch += Saved(tool, "run") % BatchesPerEpoch == 0 ? 0 : 1;
            arguments = ["train", "--resume", "run", "--save-every", "0.01"];
        }
        TestContext.Out.WriteLine($"{midEpoch} of 4 in the midst of an epoch; {Saved(tool, "run")} batches by then");
        var resumed = tool.Run(arguments);
        Assert.That(resumed.Code, Is.Zero, resumed.Errors);
        IsTheSame(tool, "run", _never, $"{optimizer}");
        Assert.That(
            Directory.GetFiles(Path.Combine(tool.Folder, "run"), "*.tmp", SearchOption.AllDirectories),
            Is.Empty,
            "a half-written file stayed behind"
        );
    }

    /// <param name="signal">SIGINT (Ctrl-C), SIGTERM (kill, a shutdown), SIGHUP (a terminal that went away).</param>
    [TestCase(2, 2)]
    [TestCase(3, 15)]
    [TestCase(3, 1)]
    public void A_signal_saves_the_step_at_hand_and_prints_the_command_that_goes_on(int optimizer, int signal)
    {
        using var tool = new Tool();
        using var process = tool.Start("train", Spec(tool, optimizer), "--out", "my run");
        WaitFor(() => Saved(tool, "my run") > 0);
        Tool.Signal(process, signal);
        var stopped = Tool.Finish(process);
        Assert.That(stopped.Code, Is.EqualTo(130), stopped.Errors);
        Assert.That(stopped.Errors, Does.Contain("cnnspec train --resume 'my run'"));
        Assert.That(stopped.Errors, Does.Contain("cnnspec eval 'my run' --weights last"));
        Assert.That(tool.Run("eval", "my run", "--weights", "last").Code, Is.Zero);

        var resumed = tool.Run("train", "--resume", "my run");
        Assert.That(resumed.Code, Is.Zero, resumed.Errors);
        IsTheSame(tool, "my run", _never, $"{optimizer}");
    }

    [Test]
    public void A_damaged_checkpoint_is_named_and_the_one_before_it_offered()
    {
        using var tool = new Tool();
        tool.Run("train", Spec(tool, 0), "--out", "run");
        string latest = Directory.GetFiles(Path.Combine(tool.Folder, "run", "checkpoints"), "step-*").MaxBy(StepOf)!;
        byte[] whole = File.ReadAllBytes(latest);
        byte[] flipped = [.. whole];
        int place = whole.Length / 2 + Random.Shared.Next(whole.Length / 2);
        flipped[place] ^= 4;
        foreach (var (how, bytes) in new[] { ("cut off", whole[..^5]), ("empty", []), ($"byte {place}", flipped) })
        {
            File.WriteAllBytes(latest, bytes);
            var refused = tool.Run("train", "--resume", "run");
            Assert.That(refused.Code, Is.EqualTo(1), how);
            Assert.That(refused.Errors, Does.Contain(Path.GetFileName(latest)).And.Contain("damaged"), how);
            Assert.That(refused.Errors, Does.Contain("cnnspec train --resume run --checkpoint previous"), how);
            refused.ShowsNoInternals();
        }

        var resumed = tool.Run("train", "--resume", "run", "--checkpoint", "previous");
        Assert.That(resumed.Code, Is.Zero, resumed.Errors);
        IsTheSame(tool, "run", _never, "0");
        Assert.That(File.ReadAllBytes(latest).Length, Is.EqualTo(whole.Length), "a whole one is in its place again");
    }

    [Test]
    public void A_finished_run_can_be_given_more_epochs_and_equals_one_that_had_them_from_the_start()
    {
        using var tool = new Tool();
        string spec = tool.Write(
            "steps.cnn",
            Restless.Replace("OPTIMIZER", "adam").Replace("SCHEDULE", "step(2)").Replace("; patience = 7", "")
        );
        tool.Run("train", spec, "--out", "long", "--epochs", "5");
        tool.Run("train", spec, "--out", "run", "--epochs", "3");
        var more = tool.Run("train", "--resume", "run", "--epochs", "5");
        Assert.That(more.Code, Is.Zero, more.Errors);
        IsTheSame(tool, "run", tool, "long");

        var cycle = tool.Run("train", Spec(tool, 0), "--out", "cycle", "--epochs", "1");
        Assert.That(cycle.Code, Is.Zero, cycle.Errors);
        var refused = tool.Run("train", "--resume", "cycle", "--epochs", "9");
        Assert.That(refused.Code, Is.EqualTo(1));
        Assert.That(refused.Errors, Does.Contain("schedule"));
    }

    [Test]
    public void A_resumed_run_takes_no_option_that_would_make_it_another()
    {
        using var tool = new Tool();
        var done = tool.Run("train", "--resume", "run", "--lr", "0.1", "--seed", "3");
        Assert.That(done.Code, Is.EqualTo(2));
        Assert.That(done.Errors, Does.Contain("--lr").And.Contain("--seed"));
        Assert.That(tool.Run("train").Errors, Does.Contain("needs a spec"));
        Assert.That(tool.Run("train", "x.cnn", "--checkpoint", "previous").Code, Is.EqualTo(2));
    }

    [Test]
    public void Other_images_than_the_run_began_with_are_refused()
    {
        using var tool = new Tool();
        tool.Run("train", Spec(tool, 0), "--out", "run", "--epochs", "1");
        string file = Path.Combine(tool.Folder, "run", "network.json");
        // As version 0.1 wrote it, without the checksum that would find the change.
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        json.Remove("sha256");
        json["format"] = 1;
        json["recipe"]!["data"]!["testCount"] = 201;
        File.WriteAllText(file, json.ToJsonString());
        var done = tool.Run("train", "--resume", "run");
        Assert.That(done.Code, Is.EqualTo(1), done.Errors);
        Assert.That(done.Errors, Does.Contain("shapes").And.Contain("not those"));
    }

    [Test]
    public void Two_processes_cannot_train_in_one_folder()
    {
        using var tool = new Tool();
        using var first = tool.Start("train", Spec(tool, 1), "--out", "run", "--epochs", "5000");
        WaitFor(() => Saved(tool, "run") > 0);
        var second = tool.Run("train", "--resume", "run");
        first.Kill();
        Tool.Finish(first);
        Assert.That(second.Code, Is.EqualTo(1), second.Errors);
        Assert.That(second.Errors, Does.Contain("another process is training in run"));
    }

    [Test]
    public void A_full_disk_is_said_and_the_checkpoint_before_stays()
    {
        Assume.That(OperatingSystem.IsLinux());
        using var tool = new Tool();
        string spec = Spec(tool, 0);
        string disk = Path.Combine(tool.Folder, "disk");
        Directory.CreateDirectory(disk);
        Assume.That(Mount("tmpfs", disk, "tmpfs", 0, "size=200k"), Is.Zero, "only root may mount a small disk");
        try
        {
            using var process = tool.Start("train", spec, "--out", "disk/run", "--epochs", "100000");
            WaitFor(() => Saved(tool, "disk/run") > 0);
            // Another program fills the disk.
            try
            {
                using var filler = new FileStream(Path.Combine(disk, "filler"), FileMode.Create);
                while (true)
                    filler.Write(new byte[4096]);
            }
            catch (IOException) { }
            var done = Tool.Finish(process);
            Assert.That(done.Code, Is.EqualTo(3), done.Errors);
            Assert.That(done.Errors, Does.Contain("the disk is full").And.Contain("cnnspec train --resume disk/run"));
            done.ShowsNoInternals();

            File.Delete(Path.Combine(disk, "filler"));
            using var resumed = tool.Start("train", "--resume", "disk/run");
            int before = Saved(tool, "disk/run");
            WaitFor(() => Saved(tool, "disk/run") > before);
            Tool.Interrupt(resumed);
            Assert.That(Tool.Finish(resumed).Code, Is.EqualTo(130));
        }
        finally
        {
            Unmount(disk, 2);
        }
    }

    [DllImport("libc", EntryPoint = "mount")]
    private static extern int Mount(string source, string target, string type, ulong flags, string data);

    [DllImport("libc", EntryPoint = "umount2")]
    private static extern int Unmount(string target, int flags);
}
