using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks;

/// <summary>
/// A recorded network as one entry of autograd, so that it stands among other modules and <c>backward()</c> on whatever
/// follows it reaches its parameters. Second derivatives are not kept: <see cref="Execution.Plain"/> has them.
/// </summary>
internal sealed class NetworkFunction : autograd.MultiTensorFunction<NetworkFunction>
{
    private const string RecordingKey = "recording";
    private const string ParametersKey = "parameters";

    /// <summary>Makes the recording, given the network's input and whether its gradient is wanted.</summary>
    public delegate Recording Recorder(Tensor input, bool ofInput);

    /// <summary>One call, and the handles that are done with after it.</summary>
    private sealed class Call(Recorder record)
    {
        public Recorder Record => record;
        public List<Tensor> Handles { get; } = [];
    }

    public override string Name => "cnnspec::Network";

    /// <returns>The recording's outputs, with a history.</returns>
    public static Tensor[] Apply(Recorder record, Tensor input, IReadOnlyList<Tensor> parameters)
    {
        var call = new Call(record);
        try
        {
            return [.. apply([call, input, .. parameters])];
        }
        finally
        {
            foreach (var handle in call.Handles)
                handle.Dispose();
        }
    }

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (call, input) = ((Call)vars[0], (Tensor)vars[1]);
        var recording = call.Record(input, input.requires_grad);
        // From here on libtorch holds what is kept, as long as the history lives, and sees to it that nobody changes it.
        var kept = recording.Release();
        call.Handles.AddRange([.. kept, .. recording.Outputs]);
        ctx.save_for_backward(kept);
        ctx.save_data(RecordingKey, recording);
        ctx.save_data(ParametersKey, vars);
        ctx.set_materialize_grads(false);
        return [.. recording.Outputs];
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        var recording = (Recording)ctx.get_data(RecordingKey);
        var vars = (object[])ctx.get_data(ParametersKey);
        var places = new Dictionary<Tensor, int>(ReferenceEqualityComparer.Instance);
        for (int i = 2; i < vars.Length; i++)
            places[(Tensor)vars[i]] = i;
        var given = grad_outputs.ConvertAll(gradient => gradient is null || gradient.IsInvalid ? null : gradient);
        // The scope of whoever goes backward takes the results.
        var scope = given.OfType<Tensor>().First();
        var result = new Tensor?[vars.Length];
        recording.Return(ctx.get_saved_variables());
        result[1] = recording.Backward(
            given,
            (parameter, gradient) => result[places[parameter]] = gradient.MoveToOtherDisposeScope(scope)
        );
        return [.. result.Select(gradient => gradient!)];
    }
}
