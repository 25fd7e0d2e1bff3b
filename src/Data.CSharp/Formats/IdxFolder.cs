namespace CnnSpec.Data;

/// <summary>The four files in which MNIST and its relatives are published and kept.</summary>
internal static class IdxFolder
{
    public const string TrainImages = "train-images-idx3-ubyte";
    public const string TrainLabels = "train-labels-idx1-ubyte";
    public const string TestImages = "t10k-images-idx3-ubyte";
    public const string TestLabels = "t10k-labels-idx1-ubyte";

    public static readonly IReadOnlyList<string> Files = [TrainImages, TrainLabels, TestImages, TestLabels];

    /// <summary>Reads both halves and checks that labels and images belong together.</summary>
    /// <exception cref="InputError">A file is damaged or does not fit the others.</exception>
    public static (IImageSource Train, IImageSource Test) Load(string folder, DataSetInfo info) =>
        (
            Half(folder, TrainImages, TrainLabels, info.TrainCount, info),
            Half(folder, TestImages, TestLabels, info.TestCount, info)
        );

    private static MemoryImages Half(string folder, string imageFile, string labelFile, int count, DataSetInfo info)
    {
        string imagePath = Path.Combine(folder, imageFile);
        string labelPath = Path.Combine(folder, labelFile);
        var images = IdxFile.ReadImages(imagePath);
        var shape = new ImageShape(1, images.Height, images.Width);
        if (images.Count != count || shape != info.Shape)
            throw new InputError(
                $"{imagePath}: holds {images.Count} images of {shape}, {count} of {info.Shape} expected",
                $"run: cnnspec data get {info.Name}"
            );
        byte[] labels = IdxFile.ReadLabels(labelPath);
        if (labels.Length != count)
            throw new InputError(
                $"{labelPath}: holds {labels.Length} labels for {count} images",
                $"run: cnnspec data get {info.Name}"
            );
        int wrong = Array.FindIndex(labels, l => l >= info.ClassNames.Count);
        if (wrong >= 0)
            throw new InputError(
                $"{labelPath}: label {wrong} is {labels[wrong]}, but there are {info.ClassNames.Count} classes",
                $"run: cnnspec data get {info.Name}"
            );
        return new MemoryImages(images.Pixels, Array.ConvertAll(labels, l => (int)l), shape, info.ClassNames);
    }
}
