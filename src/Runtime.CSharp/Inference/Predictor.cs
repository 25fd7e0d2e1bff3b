using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Checkpoints;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Inference;

/// <summary>One guess: a class and the probability that the network gives it.</summary>
public sealed record Guess(string Class, double Probability);

/// <summary>A trained network with what it needs to look at images: preprocessing and class names.</summary>
public sealed class Predictor : IDisposable
{
    private readonly Network _network;
    private readonly Normalisation _scaling;
    private readonly IReadOnlyList<string> _classes;

    private readonly bool _crops;

    private Predictor(
        Program program,
        Action<Network> load,
        ChannelStatistics? scaling,
        IReadOnlyList<string> classes,
        bool crops,
        Execution execution
    )
    {
        _crops = crops;
        TorchLibrary.Load();
        _network = new Network(program, execution);
        load(_network);
        _network.eval();
        _ = _network.FixWeights();
        // Folded weights are made at the first question: now, before many threads ask.
        using (no_grad())
            _network.forward(zeros([1, .. program.Input])).Dispose();
        _classes = classes;
        int channels = (int)program.Input.Head;
        _scaling = new Normalisation(scaling ?? ChannelStatistics.Identity(channels));
    }

    /// <summary>The weights of a run.</summary>
    /// <param name="which"><c>best</c>, <c>last</c> or <c>last-average</c>.</param>
    /// <param name="execution">To test a run as training did, in its precision.</param>
    /// <exception cref="InputError">They are missing or damaged.</exception>
    public static Predictor FromRun(RunFolder run, Execution execution, string which = "best") =>
        new(
            run.Program,
            network => run.Load(which + ".safetensors", network),
            run.Scaling,
            run.ClassNames,
            run.Data.Name == "folder",
            execution
        );

    /// <summary>Weights for a spec; classes are numbered.</summary>
    /// <param name="scaling">How the weights expect pixels; null from 0 to 1.</param>
    /// <param name="tell">Told what the file gave.</param>
    /// <exception cref="InputError">The weights are damaged or of another network.</exception>
    public static Predictor FromWeights(
        Program program,
        string weights,
        ChannelStatistics? scaling,
        Execution execution,
        Action<WeightMatch>? tell = null
    ) =>
        new(
            program,
            network =>
            {
                var match = WeightFile.Load(weights, network);
                tell?.Invoke(match);
            },
            scaling,
            [.. Enumerable.Range(0, (int)ProgramModule.outputShape(program).Head).Select(i => i.ToString())],
            crops: false,
            execution
        );

    /// <summary>The network itself, to be tested on whole data sets.</summary>
    public Network Network => _network;

    /// <summary>The likeliest classes of an image file, likeliest first. The shorter side is resized, the centre cropped.</summary>
    /// <exception cref="InputError">The file is no readable image, or the network takes no images.</exception>
    public IReadOnlyList<Guess> Classify(string path, int count) => Classify(ImageDecoder.Read(path), count);

    /// <summary>The likeliest classes of an image.</summary>
    /// <exception cref="InputError">The network takes no images.</exception>
    public IReadOnlyList<Guess> Classify(Raster image, int count)
    {
        long[] input = [.. _network.Program.Input];
        if (input.Length != 3)
            throw new InputError("this network takes features, not images", "give it an array with --input x.npy");
        var shape = new ImageShape((int)input[0], (int)input[1], (int)input[2]);
        byte[] pixels = Fit(image, shape);
        var values = new float[shape.Size];
        _scaling.Apply(pixels, values, shape);

        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var logits = _network.forward(tensor(values.AsMemory(), [1, .. input])).cpu();
        float[] probabilities = logits.flatten(1).softmax(1).data<float>().ToArray();
        return
        [
            .. probabilities
                .Select((probability, index) => new Guess(NameOf(index), probability))
                .OrderByDescending(guess => guess.Probability)
                .Take(count),
        ];
    }

    /// <summary>Raw logits of a whole array: <c>[N, …input] → [N, …output]</c>; one sample may come without its batch.</summary>
    /// <exception cref="InputError">The array has another shape than the network takes.</exception>
    public (long[] Shape, float[] Values) Logits(long[] shape, float[] values)
    {
        long[] input = [.. _network.Program.Input];
        if (shape.AsSpan().SequenceEqual(input))
            shape = [1, .. shape];
        if (shape.Length != input.Length + 1 || !shape.AsSpan(1).SequenceEqual(input))
            throw new InputError(
                $"the array is [{string.Join(", ", shape)}], and the network takes [N, {string.Join(", ", input)}]",
                "give it an array of that shape, scaled as in training"
            );
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var logits = _network.forward(tensor(values.AsMemory(), shape)).cpu().contiguous();
        return (logits.shape, logits.data<float>().ToArray());
    }

    /// <summary>What training did to its images: those of a data set are padded or resized whole, photographs of any other
    /// proportion are cropped.</summary>
    private byte[] Fit(Raster image, ImageShape shape)
    {
        var pixels = new byte[shape.Size];
        if (_crops || image.Shape.Height * shape.Width != image.Shape.Width * shape.Height)
            ImageFolder.Fit(image, shape, pixels, new BilinearResizer());
        else
            AdaptedImages.To(new MemoryImages(image.Pixels, [0], image.Shape, [""]), shape).Read(0, pixels);
        return pixels;
    }

    private string NameOf(int index) => index < _classes.Count ? _classes[index] : index.ToString();

    public void Dispose() => _network.Dispose();
}
