// From a text file to a network that answers, in one program.
//
//   dotnet run --project samples/console [-- FOLDER]      FOLDER keeps the run, an image and an ONNX model
using CnnSpec;
using CnnSpec.Data;
using CnnSpec.Runtime.Training;

string file = Path.Combine(AppContext.BaseDirectory, "figures.cnn");

// A wrong spec is data: every error with its place, its arithmetic and what mends it.
var wrong = Spec.Parse("network N {\n  input 1 x 28 x 28\n  conv(8, kernel=30)\n}\n");
Console.WriteLine(wrong.Diagnostics[0]);

// A right one is a network whose shapes are known before anything runs.
var spec = Spec.Load(file, new SpecOptions { Set = new Dictionary<string, object> { ["width"] = 12 } });
Console.WriteLine(spec.Network().Summary());

// It trains by the recipe in the spec, and tells how it goes.
string kept = args.Length > 0 ? args[0] : Directory.CreateTempSubdirectory("figures").FullName;
string folder = Path.Combine(kept, "run");
var test = await Trainer.RunAsync(
    spec.Network(),
    new TrainerOptions { Folder = folder },
    new Progress<TrainingEvent>(told =>
    {
        if (told is EpochEnded { Metrics: var epoch })
            Console.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.000}");
    })
);
Console.WriteLine($"test accuracy {test!.Accuracy:0.000}");

// And answers, from any thread, with its classes and the preprocessing of its training.
using var run = TrainedRun.Open(folder);
byte[] pixels = new byte[28 * 28];
for (int row = 6; row < 22; row++)
    pixels.AsSpan(row * 28 + 6, 16).Fill(255);
File.WriteAllBytes(Path.Combine(kept, "square.png"), ImageDecoder.EncodePng(pixels, new ImageShape(1, 28, 28)));
foreach (var guess in run.Predict(Path.Combine(kept, "square.png")))
    Console.WriteLine($"{guess.Class} {guess.Probability:0.0%}");

// Or by ONNX Runtime, wherever that runs.
run.ExportOnnx(Path.Combine(kept, "figures.onnx"), fold: true, preprocess: true, softmax: true);
