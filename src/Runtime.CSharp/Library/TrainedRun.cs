using CnnSpec.Data;
using CnnSpec.Runtime.Export;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;

namespace CnnSpec;

/// <summary>
/// A trained network out of the folder of a run, with its classes and the preprocessing of its training. It may be asked from
/// many threads at once; <see cref="Network"/> must not be changed meanwhile.
/// </summary>
/// <example>
/// <code>
/// using var run = TrainedRun.Open("runs/densenet");
/// foreach (var guess in run.Predict("cat.jpg"))
///     Console.WriteLine($"{guess.Class} {guess.Probability:0.0%}");
/// </code>
/// </example>
public sealed class TrainedRun : IDisposable
{
    private readonly Predictor _predictor;

    private readonly ChannelStatistics? _scaling;

    private TrainedRun(RunFolder run, Predictor predictor)
    {
        (_predictor, _scaling) = (predictor, run.Scaling);
        (Name, Classes, Input) = (run.Program.Network, [.. run.ClassNames], [.. run.Program.Input]);
    }

    /// <summary>As its spec calls the network.</summary>
    public string Name { get; }

    /// <summary>In the order of the network's outputs.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>What the network takes, without the batch: <c>[C, H, W]</c>. Images of other sizes are resized and cropped.</summary>
    public IReadOnlyList<long> Input { get; }

    /// <summary>The module, in evaluation mode: logits of <c>[N, C, H, W]</c>, scaled as training scaled pixels.</summary>
    public Network Network => _predictor.Network;

    /// <summary>Opens a run that <c>cnnspec train</c> or <see cref="Trainer"/> made, with its best weights.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="device"><c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</param>
    /// <exception cref="InputError">It is no run, or it is damaged.</exception>
    /// <exception cref="EnvironmentError">There is no such device, or libtorch does not load.</exception>
    public static TrainedRun Open(string folder, string device = "cpu")
    {
        var run = RunFolder.Open(folder);
        var place = device == "cpu" ? new Execution() : new Execution { Device = EngineSetup.Find(device) };
        return new TrainedRun(run, Predictor.FromRun(run, place));
    }

    /// <summary>The likeliest classes of an image file, likeliest first.</summary>
    /// <param name="path">PNG, JPEG, WebP, BMP or GIF, told by its content.</param>
    /// <param name="top">How many classes.</param>
    /// <exception cref="InputError">The file is no readable image, or the network takes no images.</exception>
    public IReadOnlyList<Guess> Predict(string path, int top = 3) => _predictor.Classify(path, top);

    /// <summary>The likeliest classes of an encoded image.</summary>
    /// <inheritdoc cref="Predict(string, int)"/>
    /// <param name="image">Read to its end; not disposed.</param>
    public IReadOnlyList<Guess> Predict(Stream image, int top = 3)
    {
        using var memory = new MemoryStream();
        image.CopyTo(memory);
        return _predictor.Classify(ImageDecoder.Decode(memory.GetBuffer().AsSpan(0, (int)memory.Length), "image"), top);
    }

    /// <summary>The likeliest classes of decoded pixels.</summary>
    /// <param name="pixels"><c>[channels, height, width]</c>, from 0 to 255: a plane of red, one of green, one of blue; or one
    /// of grey.</param>
    /// <param name="channels">1 or 3.</param>
    /// <exception cref="ArgumentException">There are not as many pixels as that.</exception>
    /// <inheritdoc cref="Predict(string, int)"/>
    public IReadOnlyList<Guess> Predict(ReadOnlySpan<byte> pixels, int channels, int height, int width, int top = 3)
    {
        if (channels is not (1 or 3) || height < 1 || width < 1 || pixels.Length != (long)channels * height * width)
            throw new ArgumentException(
                $"{pixels.Length} pixels are no image of {channels} channels of {height}×{width}",
                nameof(pixels)
            );
        return _predictor.Classify(new Raster(new ImageShape(channels, height, width), pixels.ToArray()), top);
    }

    /// <summary>Writes the network as an ONNX model, with its classes and what it does to pixels in the metadata.</summary>
    /// <param name="path">The file; weights above 2 GB lie beside it.</param>
    /// <param name="fold">Fold batch norm into the convolution before it.</param>
    /// <param name="preprocess">Take bytes from 0 to 255 and scale them inside, as training did.</param>
    /// <param name="softmax">Give probabilities instead of logits.</param>
    /// <exception cref="InputError">The network takes no images, or ends with softmax already.</exception>
    /// <exception cref="EnvironmentError">The disk is full or the folder cannot be written.</exception>
    public void ExportOnnx(string path, bool fold = false, bool preprocess = false, bool softmax = false) =>
        OnnxFile.Write(path, Network, new OnnxOptions(fold, preprocess, softmax, _scaling, Classes));

    /// <summary>Frees the weights.</summary>
    public void Dispose() => _predictor.Dispose();
}
