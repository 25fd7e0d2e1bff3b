using CnnSpec.Runtime.Networks;
// Steps of a network written by hand with TorchSharp, timed as `cnnspec bench` and bench/train_pytorch.py time theirs:
//     torchsharp-bench NETWORK --batch 128 --steps 15 --threads 2 --optimizer sgd|adamw
// Prints one line of JSON.
using System.Diagnostics;
using System.Text.Json;
using CnnSpec.Runtime;
using TorchSharp;
using TorchSharpBench;
using static TorchSharp.torch;

EngineSetup.Initialise();
int batch = int.Parse(Option("--batch", "128"));
int steps = int.Parse(Option("--steps", "15"));
set_num_threads(int.Parse(Option("--threads", "2")));
random.manual_seed(1);
var (network, image) = Models.Make(args[0]);
var images = rand([batch, .. image]);
var labels = randint(0, 10, [batch]);
optim.Optimizer optimizer =
    Option("--optimizer", "sgd") == "sgd"
        ? optim.SGD(network.parameters(), 0.1, momentum: 0.9, weight_decay: 1e-4)
        : optim.AdamW(network.parameters(), 1e-3, weight_decay: 1e-4);

network.train();
var (training, trainingProcessor) = Rate(() =>
{
    using var scope = NewDisposeScope();
    optimizer.zero_grad();
    var loss = nn.functional.cross_entropy(network.forward(images), labels);
    loss.backward();
    optimizer.step();
    loss.item<float>();
});
string peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
network.eval();
double inference,
    inferenceProcessor;
using (no_grad())
    (inference, inferenceProcessor) = Rate(() =>
    {
        using var scope = NewDisposeScope();
        network.forward(images);
    });
Console.WriteLine(
    JsonSerializer.Serialize(
        new Dictionary<string, double>
        {
            ["parameters"] = network.parameters().Sum(parameter => parameter.numel()),
            ["training"] = training,
            ["training_processor_seconds"] = trainingProcessor,
            ["inference"] = inference,
            ["inference_processor_seconds"] = inferenceProcessor,
            ["peak_memory_bytes"] = 1024 * double.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]),
        }
    )
);

string Option(string name, string otherwise)
{
    int at = Array.IndexOf(args, name);
    return at < 0 ? otherwise : args[at + 1];
}

// Images a second and processor seconds a step, medians over five windows, after half a second of warm-up.
(double, double) Rate(Action step)
{
    const int windows = 5;
    Repeat(2, 0.5);
    var seconds = new double[windows];
    var processor = new double[windows];
    for (int window = 0; window < windows; window++)
    {
        var clock = Stopwatch.StartNew();
        var busy = Environment.CpuUsage.TotalTime;
        int count = Repeat(Math.Max(1, steps / windows), 0.1);
        seconds[window] = clock.Elapsed.TotalSeconds / count;
        processor[window] = (Environment.CpuUsage.TotalTime - busy).TotalSeconds / count;
    }
    Array.Sort(seconds);
    Array.Sort(processor);
    return (batch / seconds[windows / 2], processor[windows / 2]);

    int Repeat(int least, double shortest)
    {
        var clock = Stopwatch.StartNew();
        int count = 0;
        for (; count < least || clock.Elapsed.TotalSeconds < shortest; count++)
            step();
        return count;
    }
}
