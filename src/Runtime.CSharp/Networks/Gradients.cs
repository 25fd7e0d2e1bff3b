using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// Gradients on their way backward through a recording: of each value what its readers have given so far, which a stage may
/// add while it writes its own.
/// </summary>
/// <param name="giveWeight">Takes a parameter's gradient over.</param>
internal sealed class Gradients(int values, Action<Tensor, Tensor> giveWeight) : IDisposable
{
    private readonly Tensor?[] _values = new Tensor?[values];

    /// <summary>Whether a value's gradient lies in memory that nobody else reads.</summary>
    private readonly bool[] _isOwn = new bool[values];
    private int[] _inputs = [];
    private bool[] _wanted = [];
    private ScalarType?[]? _typesBefore;

    /// <summary>The stage that gives next.</summary>
    /// <param name="typesBefore">Of its inputs that were cast for it, null for the others; null where none was.</param>
    public void Enter(int[] inputs, bool[] wanted, ScalarType?[]? typesBefore) =>
        (_inputs, _wanted, _typesBefore) = (inputs, wanted, typesBefore);

    /// <summary>Whether anybody wants the gradient of the stage's input number <paramref name="input"/>.</summary>
    public bool Wants(int input) => _wanted[input];

    /// <summary>What others gave of that input, for a stage to add to its own; null where there is nothing, or in another type.</summary>
    public Tensor? Pending(int input) => _typesBefore?[input] is null ? _values[_inputs[input]] : null;

    /// <summary>Whether <see cref="Pending"/> may be written over.</summary>
    public bool PendingIsOwn(int input) => _isOwn[_inputs[input]];

    /// <summary>Whether the gradient that was last taken may be written over.</summary>
    public bool TakenIsOwn { get; private set; }

    /// <summary>Adds the stage's part of an input's gradient, and takes the tensor over.</summary>
    /// <param name="isFresh">It lies in memory that nobody else has.</param>
    public void Give(int input, Tensor gradient, bool isFresh)
    {
        if (_typesBefore?[input] is { } type)
        {
            using var asGiven = gradient;
            (gradient, isFresh) = (asGiven.to(type), true);
        }
        ref var sum = ref _values[_inputs[input]];
        if (sum is not null)
        {
            using var before = sum;
            if (isFresh)
                gradient.Add(before);
            else
            {
                using var part = gradient;
                gradient = before.Plus(part);
            }
        }
        _isOwn[_inputs[input]] = isFresh || sum is not null;
        sum = gradient.DetachFromDisposeScope();
    }

    /// <summary>Takes an input's gradient over, with what was <see cref="Pending"/> in it.</summary>
    public void GiveSum(int input, Tensor gradient)
    {
        if (_typesBefore?[input] is not null)
        {
            Give(input, gradient, isFresh: true);
            return;
        }
        ref var sum = ref _values[_inputs[input]];
        if (!ReferenceEquals(sum, gradient))
            sum?.Dispose();
        _isOwn[_inputs[input]] = true;
        sum = gradient.DetachFromDisposeScope();
    }

    public void Give(Tensor weight, Tensor gradient) => giveWeight(weight, gradient);

    /// <summary>Puts a gradient in from outside.</summary>
    public void Begin(int value, Tensor gradient)
    {
        using var before = _values[value];
        _values[value] = (before is null ? gradient : before.Plus(gradient)).DetachFromDisposeScope();
    }

    /// <summary>The whole gradient of a value, all of whose readers have given; null where none had one.</summary>
    public Tensor? Take(int value)
    {
        var gradient = _values[value];
        _values[value] = null;
        TakenIsOwn = _isOwn[value];
        _isOwn[value] = false;
        return gradient;
    }

    public void Dispose()
    {
        foreach (var gradient in _values)
            gradient?.Dispose();
    }
}
