using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace TorchSharpBench;

/// <summary>The networks of the specs as TorchSharp's users write them: modules of its own, NCHW, float32.</summary>
internal static class Models
{
    public static (Module<Tensor, Tensor> Network, long[] Image) Make(string name) =>
        name switch
        {
            "resnet" => (ResNet(), [3, 32, 32]),
            "googlenet" => (GoogLeNet(), [3, 32, 32]),
            "densenet" => (DenseNet(), [3, 32, 32]),
            "mnist/convnet" => (ConvNet(), [1, 28, 28]),
            "mnist/lenet5" => (LeNet5(), [1, 32, 32]),
            _ => throw new ArgumentException($"{name} is not written here"),
        };

    private static Module<Tensor, Tensor> LeNet5() =>
        Sequential(
            Conv2d(1, 6, 5),
            ReLU(),
            MaxPool2d(2),
            Conv2d(6, 16, 5),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(400, 120),
            ReLU(),
            Linear(120, 84),
            ReLU(),
            Linear(84, 10)
        );

    private static Module<Tensor, Tensor> ConvNet() =>
        Sequential(
            Conv2d(1, 8, 3, padding: 1),
            ReLU(),
            MaxPool2d(2),
            Conv2d(8, 16, 3, padding: 1),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(16 * 7 * 7, 10)
        );

    private static Module<Tensor, Tensor> ResNet()
    {
        var layers = new List<Module<Tensor, Tensor>>
        {
            Conv2d(3, 16, 3, padding: 1, bias: false),
            BatchNorm2d(16),
            ReLU(),
        };
        long channels = 16;
        foreach (var (width, group) in new long[] { 16, 32, 64 }.Select((width, group) => (width, group)))
            for (int i = 0; i < 3; i++)
            {
                layers.Add(new ResidualBlock(channels, width, group > 0 && i == 0 ? 2 : 1));
                channels = width;
            }
        layers.AddRange([AdaptiveAvgPool2d(1), Flatten(), Linear(64, 10)]);
        return Sequential(layers);
    }

    private static Module<Tensor, Tensor> GoogLeNet()
    {
        long channels = 64;
        Inception Block(long red3, long red5, long one, long three, long five, long pool)
        {
            var block = new Inception(channels, red3, red5, one, three, five, pool);
            channels = one + three + five + pool;
            return block;
        }
        return Sequential(
            ConvBlock(3, 64, 3, 1),
            Block(32, 16, 16, 32, 8, 8),
            Block(32, 16, 24, 48, 12, 12),
            MaxPool2d(3, stride: 2, padding: 1),
            Block(32, 16, 24, 48, 12, 12),
            Block(32, 16, 16, 48, 16, 16),
            Block(32, 16, 16, 48, 16, 16),
            Block(32, 16, 32, 48, 24, 24),
            MaxPool2d(3, stride: 2, padding: 1),
            Block(48, 16, 32, 64, 16, 16),
            Block(48, 16, 32, 64, 16, 16),
            AdaptiveAvgPool2d(1),
            Flatten(),
            Linear(128, 10)
        );
    }

    private static Module<Tensor, Tensor> DenseNet()
    {
        const long growth = 16;
        const long bottleneck = 2 * growth;
        long channels = bottleneck;
        var layers = new List<Module<Tensor, Tensor>> { Conv2d(3, channels, 3, padding: 1) };
        for (int group = 0; group < 4; group++)
        {
            for (int i = 0; i < 6; i++)
            {
                layers.Add(new DenseLayer(channels, bottleneck, growth));
                channels += growth;
            }
            if (group == 3)
                break;
            layers.AddRange([
                BatchNorm2d(channels),
                ReLU(),
                Conv2d(channels, channels / 2, 1, bias: false),
                AvgPool2d(2),
            ]);
            channels /= 2;
        }
        layers.AddRange([BatchNorm2d(channels), ReLU(), AdaptiveAvgPool2d(1), Flatten(), Linear(channels, 10)]);
        return Sequential(layers);
    }

    public static Sequential ConvBlock(long from, long to, long kernel, long padding = 0) =>
        Sequential(Conv2d(from, to, kernel, padding: padding), BatchNorm2d(to), ReLU());
}

internal sealed class ResidualBlock : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> _main;
    private readonly Module<Tensor, Tensor>? _skip;

    public ResidualBlock(long from, long to, long stride)
        : base(nameof(ResidualBlock))
    {
        _main = Sequential(
            Conv2d(from, to, 3, stride: stride, padding: 1, bias: false),
            BatchNorm2d(to),
            ReLU(),
            Conv2d(to, to, 3, padding: 1, bias: false),
            BatchNorm2d(to)
        );
        _skip = stride > 1 ? Conv2d(from, to, 1, stride: stride) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => (_main.forward(x) + (_skip?.forward(x) ?? x)).relu();
}

internal sealed class Inception : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> _one;
    private readonly Module<Tensor, Tensor> _three;
    private readonly Module<Tensor, Tensor> _five;
    private readonly Module<Tensor, Tensor> _pool;

    public Inception(long from, long red3, long red5, long one, long three, long five, long pool)
        : base(nameof(Inception))
    {
        _one = Models.ConvBlock(from, one, 1);
        _three = Sequential(Models.ConvBlock(from, red3, 1), Models.ConvBlock(red3, three, 3, 1));
        _five = Sequential(Models.ConvBlock(from, red5, 1), Models.ConvBlock(red5, five, 5, 2));
        _pool = Sequential(MaxPool2d(3, stride: 1, padding: 1), Models.ConvBlock(from, pool, 1));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>
        cat([_one.forward(x), _three.forward(x), _five.forward(x), _pool.forward(x)], 1);
}

internal sealed class DenseLayer : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> _added;

    public DenseLayer(long from, long bottleneck, long growth)
        : base(nameof(DenseLayer))
    {
        _added = Sequential(
            BatchNorm2d(from),
            ReLU(),
            Conv2d(from, bottleneck, 1, bias: false),
            BatchNorm2d(bottleneck),
            ReLU(),
            Conv2d(bottleneck, growth, 3, padding: 1, bias: false)
        );
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => cat([_added.forward(x), x], 1);
}
