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
    /// <summary>A node made ready: what it does, on what, with which weights.</summary>
    private sealed record Step(int Node, Operation Run, int[] Inputs, Tensor[] Weights, bool TrainingOnly, string Path);

    /// <summary>A module that only holds names and weights.</summary>
    private sealed class Scope(string name) : nn.Module(name)
    {
        public Dictionary<string, Scope> Children { get; } = [];
    }

    private readonly Step[] _steps;
    private readonly int[] _lastUse;
    private readonly Dictionary<string, Scope> _scopes = [];

    /// <summary>Builds the network and fills its weights from the engine's random numbers: seed those first.</summary>
    public Network(Program program, Device? device = null)
        : base(program.Network)
    {
        Program = program;
        var steps = new List<Step>();
        int id = 0;
        foreach (var node in program.Nodes)
        {
            if (!node.Op.IsInput)
                steps.Add(
                    new Step(
                        id,
                        Operations.For(node.Op),
                        [.. node.Inputs],
                        CreateWeights(node, device ?? CPU),
                        node.TrainingOnly,
                        node.Path
                    )
                );
            id++;
        }
        _steps = [.. steps];
        _lastUse = LastUses(id);
    }

    public Program Program { get; }

    /// <summary>The logits alone.</summary>
    public override Tensor forward(Tensor input) => Run(input, withHeads: false)[0];

    /// <summary>The logits and, while training, those of each auxiliary head in the program's order.</summary>
    public Tensor[] ForwardWithHeads(Tensor input) => Run(input, withHeads: training);

    /// <summary>The value of every node of the program, kept for whoever looks where numbers go wrong. They belong to the
    /// scope that is open.</summary>
    internal Tensor[] Trace(Tensor input)
    {
        var values = new Tensor[_lastUse.Length];
        values[0] = input;
        foreach (var step in _steps)
            values[step.Node] = step.Run([.. step.Inputs.Select(from => values[from])], step.Weights, training);
        return values;
    }

    /// <summary>Weights and buffers by their full names, in the program's order.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedWeights()
    {
        int step = 0;
        foreach (var node in Program.Nodes.Where(node => !node.Op.IsInput))
        {
            var tensors = _steps[step++].Weights;
            int index = 0;
            foreach (var weight in node.Weights)
                yield return (weight.Name, tensors[index++]);
        }
    }

    private Tensor[] Run(Tensor input, bool withHeads)
    {
        var values = new Tensor?[_lastUse.Length];
        values[0] = input;
        int[] wanted = withHeads
            ? [Program.Output, .. Program.AuxiliaryHeads.Select(head => head.Node)]
            : [Program.Output];
        var operands = new List<Tensor>();

        try
        {
            for (int i = 0; i < _steps.Length; i++)
            {
                var step = _steps[i];
                if (step.TrainingOnly && !withHeads)
                    continue;
                operands.Clear();
                foreach (int from in step.Inputs)
                    operands.Add(values[from]!);
                values[step.Node] = step.Run(operands, step.Weights, training);
                // Autograd keeps what the backward pass needs; our own handles end at their last use.
                foreach (int from in step.Inputs)
                    if (_lastUse[from] == i && from != 0 && !wanted.Contains(from))
                    {
                        values[from]?.Dispose();
                        values[from] = null;
                    }
            }
            var results = Array.ConvertAll(wanted, node => node == 0 ? input.alias() : values[node]!);
            foreach (int node in wanted)
                values[node] = null;
            return results;
        }
        finally
        {
            for (int node = 1; node < values.Length; node++)
                values[node]?.Dispose();
        }
    }

    private int[] LastUses(int nodes)
    {
        var last = new int[nodes];
        for (int i = 0; i < _steps.Length; i++)
            foreach (int from in _steps[i].Inputs)
                last[from] = i;
        return last;
    }

    private Tensor[] CreateWeights(IrNode node, Device device)
    {
        var tensors = new List<Tensor>();
        foreach (var weight in node.Weights)
        {
            long[] shape = [.. weight.Shape];
            string name = weight.Name[(weight.Name.LastIndexOf('.') + 1)..];
            bool counter = shape.Length == 0;
            var values = empty(shape, dtype: counter ? ScalarType.Int64 : ScalarType.Float32, device: device);
            Initialisation.Fill(values, weight.Initialiser, tensors.Count > 0 ? tensors[0] : values);
            var scope = ScopeOf(node.Path);
            if (weight.Learnt)
            {
                var parameter = new Parameter(values);
                scope.register_parameter(name, parameter);
                tensors.Add(parameter);
            }
            else
            {
                scope.register_buffer(name, values);
                tensors.Add(values);
            }
        }
        return [.. tensors];
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
