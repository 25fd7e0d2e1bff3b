using CnnSpec.Ir;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// A program of the IR as a module: weights nested by the names that the compiler gave them, and its operations run in
/// order. <c>[N, …input] → [N, …output]</c>.
/// </summary>
public sealed class Network : nn.Module<Tensor, Tensor>
{
    /// <summary>A stage of the schedule made ready: what it does, on what, with which weights.</summary>
    internal sealed record Stage(
        string Path,
        Kernel Kernel,
        Operation Run,
        int[] Inputs,
        int Output,
        Tensor[] Weights,
        bool TrainingOnly
    )
    {
        /// <summary>What its values are in a network of this precision.</summary>
        public ScalarType TypeIn(Precision precision) =>
            precision == Precision.BFloat16 && ShortFloats.Values ? ScalarType.BFloat16 : ScalarType.Float32;

        /// <summary>Instead of <see cref="Run"/> where later readers of the input read it through this stage.</summary>
        public ForkingOperation? Fork { get; init; }

        /// <summary>Whether its values and its weights may be bfloat16.</summary>
        public (bool Values, bool Weights) ShortFloats { get; } = Kernels.ShortFloats(Kernel, Weights);
    }

    /// <summary>Stages in their order, and for each value the last of them that reads its value.</summary>
    internal sealed record Schedule(Stage[] Stages, int[] LastUse);

    /// <summary>A module that only holds names and weights.</summary>
    private sealed class Scope(string name) : nn.Module(name)
    {
        public Dictionary<string, Scope> Children { get; } = [];
    }

    private readonly Schedule _training;
    private readonly EvaluationSchedule? _evaluation;
    private readonly Dictionary<string, Scope> _scopes = [];
    private readonly List<(string Name, Tensor Tensor)> _weights = [];

    /// <summary>Builds the network and fills its weights from the engine's random numbers: seed those first. They are drawn on the
    /// CPU, so that a seed means the same weights on every device.</summary>
    public Network(Program program, Execution? execution = null)
        : base(program.Network)
    {
        Program = program;
        Execution = execution ?? new Execution();
        foreach (var node in program.Nodes)
            CreateWeights(node);
        _training = MakeReady(
            !Execution.Fused ? Ir.Stages.plain(program)
            : Execution.Device.type == DeviceType.CUDA ? Passes.onGpu(program)
            : Passes.all(program)
        );
        if (Execution.Fused)
            _evaluation = new EvaluationSchedule(MakeReady(Passes.forEvaluation(program)), Execution.Precision);
    }

    public Execution Execution { get; }

    internal IReadOnlyList<Stage> Stages => _training.Stages;

    public Program Program { get; }

    /// <summary>The logits alone, on the network's device. The input may be anywhere.</summary>
    public override Tensor forward(Tensor input) => Run(input, withHeads: false)[0];

    /// <summary>The logits and, while training, those of each auxiliary head in the program's order.</summary>
    public Tensor[] ForwardWithHeads(Tensor input) => Run(input, withHeads: training);

    /// <summary>The value of every node of the program, kept for whoever looks where numbers go wrong. They belong to the
    /// scope that is open.</summary>
    internal Tensor[] Trace(Tensor input)
    {
        var values = new Tensor[Program.Nodes.Length];
        values[0] = input;
        foreach (var stage in MakeReady(Ir.Stages.plain(Program)).Stages)
            values[stage.Output] = Apply(stage, [.. stage.Inputs.Select(from => values[from])], training);
        return values;
    }

    /// <summary>Weights and buffers by their full names, in the program's order.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedWeights() => _weights;

    public override void train(bool train = true)
    {
        base.train(train);
        _evaluation?.Forget();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _evaluation?.Dispose();
        base.Dispose(disposing);
    }

    private Tensor[] Run(Tensor input, bool withHeads)
    {
        // Folded weights have no gradient to give to the network's own.
        var folded = training || is_grad_enabled() ? null : _evaluation?.Ready();
        var (stages, lastUse) = folded ?? _training;
        var values = new Tensor?[lastUse.Length];
        using var here = input.to(Execution.Device);
        using var laid = Execution.Fused ? EngineSetup.ChannelsLast(here) : here.alias();
        values[0] = laid;
        int[] wanted = withHeads
            ? [Program.Output, .. Program.AuxiliaryHeads.Select(head => head.Node)]
            : [Program.Output];
        var operands = new List<Tensor>();

        try
        {
            for (int i = 0; i < stages.Length; i++)
            {
                var stage = stages[i];
                if (stage.TrainingOnly && !withHeads)
                    continue;
                operands.Clear();
                foreach (int from in stage.Inputs)
                    operands.Add(values[from]!);
                if (stage.Fork is null)
                    values[stage.Output] = Apply(stage, operands, training);
                else
                {
                    var (result, handedOn) = Fork(stage, operands[0], training);
                    operands[0].Dispose();
                    (values[stage.Output], values[stage.Inputs[0]]) = (result, handedOn);
                }
                // Autograd keeps what the backward pass needs; our own handles end at their last use.
                foreach (int from in stage.Inputs)
                    if (lastUse[from] == i && from != 0 && !wanted.Contains(from))
                    {
                        values[from]?.Dispose();
                        values[from] = null;
                    }
            }
            return Array.ConvertAll(wanted, node => AsFloat32(values[node]!));
        }
        finally
        {
            for (int node = 1; node < values.Length; node++)
                values[node]?.Dispose();
        }
    }

    private Schedule MakeReady(IEnumerable<Ir.Stage> stages)
    {
        var byName = _weights.ToDictionary(weight => weight.Name, weight => weight.Tensor);
        Stage[] ready =
        [
            .. stages.Select(stage => new Stage(
                stage.Path,
                stage.Kernel,
                Kernels.For(stage, Execution.Fused),
                [.. stage.Inputs],
                stage.Output,
                [.. stage.Weights.Select(weight => byName[weight.Name])],
                stage.TrainingOnly
            )
            {
                Fork = stage.Forks ? Kernels.Forking(stage) : null,
            }),
        ];
        var lastUse = new int[ready.Select(stage => stage.Output + 1).Append(Program.Nodes.Length).Max()];
        for (int i = 0; i < ready.Length; i++)
            foreach (int from in ready[i].Inputs)
                lastUse[from] = i;
        return new Schedule(ready, lastUse);
    }

    private static Tensor AsFloat32(Tensor value)
    {
        using var scope = NewDisposeScope();
        return value.to(ScalarType.Float32).alias().MoveToOuterDisposeScope();
    }

    /// <summary>Runs one stage in the precision that it allows.</summary>
    internal Tensor Apply(Stage stage, IReadOnlyList<Tensor> operands, bool training)
    {
        if (Execution.Precision == Precision.Float32)
            return stage.Run(operands, stage.Weights, training);
        var type = stage.TypeIn(Execution.Precision);
        bool fit = Kernels.KeepsType(stage.Kernel) || operands.All(operand => operand.dtype == type);
        bool weights =
            stage.ShortFloats.Weights
            && stage.Weights.Length > 0
            && !Kernels.MixesPrecisions(stage.Kernel, Execution.Fused);
        if (fit && !weights)
            return stage.Run(operands, stage.Weights, training);
        // Casts belong to this scope; autograd keeps those that the backward pass needs.
        using var scope = NewDisposeScope();
        var cast = fit ? operands : [.. operands.Select(operand => operand.to(type))];
        var filters = weights ? Array.ConvertAll(stage.Weights, weight => weight.to(type)) : stage.Weights;
        return stage.Run(cast, filters, training).MoveToOuterDisposeScope();
    }

    /// <summary>Runs a forking stage in the precision that it allows: its value, and its input for the later readers.</summary>
    private (Tensor Result, Tensor Input) Fork(Stage stage, Tensor operand, bool training)
    {
        using var cast = operand.to(stage.TypeIn(Execution.Precision));
        return stage.Fork!(cast, stage.Weights, training);
    }

    private void CreateWeights(IrNode node)
    {
        Tensor? filter = null;
        foreach (var weight in node.Weights)
        {
            long[] shape = [.. weight.Shape];
            string name = weight.Name[(weight.Name.LastIndexOf('.') + 1)..];
            bool counter = shape.Length == 0;
            var values = empty(shape, dtype: counter ? ScalarType.Int64 : ScalarType.Float32);
            Initialisation.Fill(values, weight.Initialiser, filter ?? values);
            if (Execution.Device.type != DeviceType.CPU)
                values = values.to(Execution.Device, disposeAfter: true);
            var scope = ScopeOf(node.Path);
            if (weight.Learnt)
            {
                var parameter = new Parameter(values);
                scope.register_parameter(name, parameter);
                values = parameter;
            }
            else
                scope.register_buffer(name, values);
            filter ??= values;
            _weights.Add((weight.Name, values));
        }
    }

    /// <summary>The module that a path such as <c>layer1.0.conv1</c> names, made where it is missing.</summary>
    private nn.Module ScopeOf(string path)
    {
        nn.Module parent = this;
        var children = _scopes;
        foreach (string name in path.Split('.'))
        {
            if (!children.TryGetValue(name, out var scope))
            {
                scope = new Scope(name);
                children.Add(name, scope);
                parent.register_module(name, scope);
            }
            parent = scope;
            children = scope.Children;
        }
        return parent;
    }
}
