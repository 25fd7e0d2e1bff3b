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
    /// <summary>A module that only holds names and weights.</summary>
    private sealed class Scope(string name) : nn.Module(name)
    {
        public Dictionary<string, Scope> Children { get; } = [];
    }

    /// <summary>By TorchSharp's operations, under autograd: what the others are compared with, and the way on other devices.</summary>
    private ExecutionPlan _composed = null!;

    /// <summary>By the native loops; null where there are none for this network as it is.</summary>
    private ExecutionPlan? _native;
    private EvaluationPlan? _evaluation;
    private bool _areFixed;
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
        Plan();
    }

    /// <summary>The network with the weights that training by this seed begins from.</summary>
    /// <exception cref="EnvironmentError">libtorch is missing or does not load.</exception>
    public static Network Initial(Program program, long seed, Execution? execution = null)
    {
        TorchLibrary.Load();
        random.manual_seed(seed);
        return new Network(program, execution);
    }

    public Execution Execution { get; }

    /// <summary>Where the weights are.</summary>
    public Device Device => _weights.Count == 0 ? Execution.Device : _weights[0].Tensor.device;

    /// <summary>The stages of training.</summary>
    internal IReadOnlyList<PlannedStage> Stages => (_native ?? _composed).Stages;

    public Program Program { get; }

    /// <summary>The logits alone, on the network's device. The input may be anywhere.</summary>
    public override Tensor forward(Tensor input) => Run(input, withHeads: false)[0];

    /// <summary>The logits and, while training, those of each auxiliary head in the program's order.</summary>
    public Tensor[] ForwardWithHeads(Tensor input) => Run(input, withHeads: training);

    /// <summary>Forward pass, loss and backward pass: adds to the gradients of the parameters.</summary>
    /// <param name="loss">Of the logits and those of each auxiliary head, a mean over the batch.</param>
    /// <param name="share">What the gradients are scaled by.</param>
    /// <returns>The loss and the logits, without a history; they belong to the scope that is open.</returns>
    internal (Tensor Loss, Tensor Logits) Differentiate(Tensor images, Func<Tensor[], Tensor> loss, double share)
    {
        if (!training || _native is null || !Fits(images))
        {
            var outputs = ForwardWithHeads(images);
            var composed = loss(outputs);
            Scaled(composed).backward();
            return (composed.detach(), outputs[0].detach());
        }
        using var recording = Record(images, withHeads: true, ofInput: false);
        var leaves = Array.ConvertAll(recording.Outputs, output => output.requires_grad_());
        var value = loss(leaves);
        Scaled(value).backward();
        var gradients = Array.ConvertAll(leaves, leaf => leaf.grad);
        recording.Backward(gradients, Accumulate);
        foreach (var gradient in gradients)
            gradient?.Dispose();
        var logits = leaves[0].detach();
        foreach (var leaf in leaves)
            leaf.Dispose();
        return (value.detach(), logits);

        Tensor Scaled(Tensor mean) => share == 1 ? mean : mean.Times(share);
    }

    private static void Accumulate(Tensor parameter, Tensor gradient)
    {
        using (gradient)
        using (var before = parameter.grad)
            if (before is null)
                parameter.grad = gradient;
            else
                before.Add(gradient);
    }

    /// <summary>The value of every node of the program, kept for whoever looks where numbers go wrong. They belong to the
    /// scope that is open.</summary>
    internal Tensor[] Trace(Tensor input)
    {
        var values = new Tensor[Program.Nodes.Length];
        values[0] = input;
        foreach (var stage in _composed.Stages)
            values[stage.Output] = stage.Computation.Run(ExecutionPlan.Operands(stage, values, out _), training);
        return values;
    }

    /// <summary>Until the result is disposed, evaluation does not look each time whether a weight has changed, which takes
    /// some 50 µs. Whoever holds it changes none.</summary>
    internal IDisposable FixWeights()
    {
        _evaluation?.Forget();
        _areFixed = true;
        return new FixedWeights(this);
    }

    private sealed class FixedWeights(Network network) : IDisposable
    {
        public void Dispose() => network._areFixed = false;
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
        using var here = input.to(Device);
        using var laid = Execution.Fused ? here.ChannelsLast() : here.alias();
        bool differentiates = is_grad_enabled();
        // Folded weights have no gradient to give to the network's own.
        if (!training && !differentiates && _evaluation is not null)
            return _evaluation.Ready(_areFixed).Run(laid, Wanted(false), withHeads: false, training: false);
        if (training && _native is not null && Fits(laid))
        {
            Tensor[] parameters = [.. _weights.Select(weight => weight.Tensor).Where(tensor => tensor.requires_grad)];
            if (differentiates && (parameters.Length > 0 || laid.requires_grad))
                return NetworkFunction.Apply((x, ofInput) => Record(x, withHeads, ofInput), laid, parameters);
            using var withoutGradient = no_grad();
            return _native.Run(laid, Wanted(withHeads), withHeads, training: true);
        }
        return _composed.Run(laid, Wanted(withHeads), withHeads, training);
    }

    private Recording Record(Tensor images, bool withHeads, bool ofInput)
    {
        using var laid = images.detach();
        using var map = laid.ChannelsLast();
        return new Recording(_native!, map, Wanted(withHeads), withHeads, ofInput);
    }

    /// <summary>The values that make the network's outputs.</summary>
    private int[] Wanted(bool withHeads) =>
        withHeads ? [Program.Output, .. Program.AuxiliaryHeads.Select(head => head.Node)] : [Program.Output];

    /// <summary>Whether the native loops take such an input.</summary>
    private static bool Fits(Tensor input) =>
        input.device_type == DeviceType.CPU && input.dtype is ScalarType.Float32 or ScalarType.BFloat16;

    /// <summary>Makes the plans for the weights as they are.</summary>
    private void Plan()
    {
        _evaluation?.Dispose();
        var byName = _weights.ToDictionary(weight => weight.Name, weight => weight.Tensor);
        var planner = new Planner(Program, Execution.Precision, byName);
        _composed = planner.Composed();
        bool onCpu = _weights.TrueForAll(weight => IsDenseFloat32(weight.Tensor));
        var kernels =
            Execution.Fused && onCpu && Device.type == DeviceType.CPU
                ? Execution.Kernels ?? KernelChoice.Chosen
                : ComposedKernels.Instance;
        _native = kernels is ComposedKernels ? null : planner.Native(kernels);
        bool isFloat32 = _weights.TrueForAll(weight => weight.Tensor.dtype is ScalarType.Float32 or ScalarType.Int64);
        _evaluation = Execution.Fused && isFloat32 ? new EvaluationPlan(planner, kernels) : null;
    }

    private static bool IsDenseFloat32(Tensor tensor) =>
        tensor.dtype is ScalarType.Float32 or ScalarType.Int64 && tensor.is_contiguous();

    /// <summary>TorchSharp has put other tensors in the places of weights: the network was moved or its type changed.</summary>
    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        base._toEpilog(dtype, device, non_blocking);
        for (int i = 0; i < _weights.Count; i++)
        {
            string name = _weights[i].Name;
            _weights[i] = (name, get_parameter(name) ?? get_buffer(name)!);
        }
        Plan();
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
            if (weight.Trainable)
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
