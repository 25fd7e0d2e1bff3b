using CnnSpec.Ir;
using CnnSpec.Operators;
using CnnSpec.Runtime.Networks.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>Makes the stages that the compiler gives ready to run, with a network's weights.</summary>
/// <param name="weights">All of the network's, by their full names.</param>
internal sealed class Planner(Program program, Precision precision, IReadOnlyDictionary<string, Tensor> weights)
{
    /// <summary>Stages by TorchSharp's operations, differentiated by autograd, on any device.</summary>
    public ExecutionPlan Composed() => Plan(Stages.plain(program), ComposedKernels.Instance);

    /// <summary>Stages by the native loops where these have them.</summary>
    public ExecutionPlan Native(IKernels kernels) => Plan(Passes.all(program), kernels);

    /// <summary>Evaluation, with weights of its own: see <see cref="EvaluationPlan"/>.</summary>
    public ExecutionPlan Evaluation(IKernels kernels, List<IDisposable> owned) =>
        Plan(Passes.forEvaluation(program), kernels, owned);

    /// <summary>Every weight that evaluation reads.</summary>
    public Tensor[] EvaluationWeights() =>
        [.. Passes.forEvaluation(program).SelectMany(stage => stage.Weights).Select(weight => weights[weight.Name])];

    private ExecutionPlan Plan(IEnumerable<Ir.Stage> stages, IKernels kernels, List<IDisposable>? owned = null) =>
        ExecutionPlan.Of([.. stages.Select(stage => Ready(stage, kernels, owned))], program.Nodes.Length);

    private PlannedStage Ready(Ir.Stage stage, IKernels kernels, List<IDisposable>? owned)
    {
        var layers = LayersOf(stage);
        var (inputs, weightType) = StagePrecision.In(precision, stage, layers, kernels.MixesPrecisions);
        var computation =
            owned is not null && ConvolutionOf(stage.Kernel) is var (conv, norm, sum, relu)
                ? Prepared(kernels, conv, norm, layers, inputs, sum, relu, owned)
                : Own(stage, layers, weightType, kernels, owned)
                    ?? new Composed(
                        OperationOf(stage),
                        FirstOf(layers, weightType, owned),
                        owned is null ? weightType : null
                    );
        return new(stage, computation, [.. stage.Inputs], stage.Output, inputs, layers);
    }

    /// <summary>A stage of the kernels' own. In evaluation weights are cast once, by what is composed.</summary>
    private static Computation? Own(
        Ir.Stage stage,
        LayerWeights[] layers,
        ScalarType? weightType,
        IKernels kernels,
        List<IDisposable>? owned
    ) => owned is not null && weightType is not null ? null : kernels.ComputationOf(stage, layers, weightType);

    /// <summary>In evaluation a layer's weights are cast once.</summary>
    private static LayerWeights FirstOf(LayerWeights[] layers, ScalarType? type, List<IDisposable>? owned)
    {
        if (layers.Length == 0)
            return LayerWeights.None;
        if (owned is null || type is not { } cast)
            return layers[0];
        using var scope = NewDisposeScope();
        var made = layers[0].To(cast);
        if (!ReferenceEquals(made, layers[0]))
            owned.AddRange(made.All.Select(tensor => tensor.DetachFromDisposeScope()));
        return made;
    }

    private static Computation Prepared(
        IKernels kernels,
        Convolution conv,
        BatchNormalisation? norm,
        LayerWeights[] layers,
        ScalarType? type,
        bool sum,
        bool relu,
        List<IDisposable> owned
    )
    {
        using var scope = NewDisposeScope();
        var (weight, bias) = norm is null
            ? (layers[0].Weight, layers[0].Bias)
            : FoldedWeights.Of(layers[0], norm, layers[1]);
        var made = kernels.Prepare(conv, weight, bias, type ?? ScalarType.Float32, sum, relu);
        owned.Add(made.Owned);
        return new PreparedComputation(made.Run);
    }

    private static (Convolution Conv, BatchNormalisation? Norm, bool Sum, bool Relu)? ConvolutionOf(Kernel kernel) =>
        kernel switch
        {
            Kernel.Single { Item: Op.Conv conv } => (conv.Item, null, false, false),
            Kernel.Convolve k => (k.Item1, k.norm?.Value, k.sum, k.relu),
            _ => null,
        };

    /// <summary>What a stage does by TorchSharp's operations.</summary>
    private static Operation OperationOf(Ir.Stage stage) =>
        stage.Kernel switch
        {
            Kernel.Normalise k => NativeBatchNorm.Compose(k.Item1, k.sum, k.relu, null),
            Kernel.MaxPoolRelu k => NativeMaxPool.Compose(k.Item, relu: true),
            Kernel.Join => Operations.For(Op.Concat),
            Kernel.Single k => Operations.For(k.Item),
            _ => throw new NotSupportedException($"the runtime has no operation for {stage.Kernel}"),
        };

    /// <summary>The weights of each layer that the stage stands for, in the stage's order.</summary>
    private LayerWeights[] LayersOf(Ir.Stage stage) =>
        [
            .. stage
                .Weights.GroupBy(weight => weight.Name[..weight.Name.LastIndexOf('.')])
                .Select(layer => new LayerWeights(
                    layer.Key,
                    layer.ToDictionary(weight => weight.Name[(layer.Key.Length + 1)..], weight => weights[weight.Name])
                )),
        ];
}

/// <summary>A convolution of evaluation: it has no gradient.</summary>
internal sealed class PreparedComputation(Func<IReadOnlyList<Tensor>, Tensor> run) : Computation
{
    public override Tensor Run(IReadOnlyList<Tensor> x, bool training) => run(x);

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept) => throw HasNoGradient();

    public override void Backward(Tensor dy, Kept kept, Gradients gradients) => throw HasNoGradient();

    private static InvalidOperationException HasNoGradient() => new("a stage of evaluation was differentiated");
}
