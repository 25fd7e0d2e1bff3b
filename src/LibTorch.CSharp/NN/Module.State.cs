using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>A module's tensors as a dictionary, and the move of them to another device or type.</summary>
        public abstract partial class Module
        {
            /// <summary>Every parameter and persistent buffer by name: the tensors themselves, not copies.</summary>
            public virtual Dictionary<string, Tensor> state_dict(
                Dictionary<string, Tensor>? destination = null,
                string? prefix = null
            )
            {
                destination ??= [];
                var start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach (var (name, parameter) in named_parameters())
                    destination.TryAdd(start + name, parameter);
                foreach (var (name, buffer) in named_buffers(include_nonpersistent: false))
                    destination.TryAdd(start + name, buffer);
                return destination;
            }

            /// <summary>Copies values in by name and reports the names on one side only.</summary>
            /// <exception cref="InvalidOperationException">Strict, and some name is on one side only.</exception>
            /// <exception cref="ArgumentException">A tensor has another shape than the one it is for.</exception>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(
                Dictionary<string, Tensor> source,
                bool strict = true,
                IList<string>? skip = null
            )
            {
                var state = state_dict();
                var skipped = skip ?? [];
                var missing = state.Keys.Where(key => !source.ContainsKey(key) && !skipped.Contains(key)).ToList();
                var unexpected = source.Keys.Where(key => !state.ContainsKey(key) && !skipped.Contains(key)).ToList();
                if (strict && missing.Count + unexpected.Count > 0)
                    throw new InvalidOperationException(
                        $"The state does not fit the module; missing: [{string.Join(", ", missing)}], "
                            + $"unexpected: [{string.Join(", ", unexpected)}]."
                    );
                using var _ = no_grad();
                foreach (var (key, target) in state)
                {
                    if (skipped.Contains(key) || !source.TryGetValue(key, out var value))
                        continue;
                    if (!value.shape.SequenceEqual(target.shape))
                        throw new ArgumentException(
                            $"'{key}' has shape [{string.Join(", ", value.shape)}] in the state and "
                                + $"[{string.Join(", ", target.shape)}] in the module."
                        );
                    target.copy_(value);
                }
                return (missing, unexpected);
            }

            protected internal virtual Module _to(Device device, ScalarType dtype, bool non_blocking)
            {
                Move(device, dtype, non_blocking);
                return this;
            }

            protected internal virtual Module _to(ScalarType dtype, bool non_blocking)
            {
                Move(null, dtype, non_blocking);
                return this;
            }

            protected internal virtual Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking)
            {
                Move(new Device(deviceType, deviceIndex), null, non_blocking);
                return this;
            }

            // The tensors stay the same variables with other memory, so that optimizers and fields still hold them.
            // Whole numbers, such as a batch norm's count of batches, keep their type.
            private void Move(Device? device, ScalarType? dtype, bool nonBlocking)
            {
                if (dtype is { } type && !is_floating_point(type))
                    throw new ArgumentException($"A module cannot be of type {type}: its tensors hold real numbers.");
                using var scope = NewDisposeScope();
                using var _ = no_grad();
                foreach (var tensor in parameters().Concat(buffers()))
                {
                    var moved = tensor.is_floating_point() ? dtype : null;
                    var gradient = tensor.grad;
                    tensor.SetData(tensor.detach().Convert(moved, device, copy: false, nonBlocking));
                    if (gradient is not null)
                        tensor.grad = gradient.Convert(moved, device, copy: false, nonBlocking);
                }
            }
        }
    }
}

/// <summary>What modules gain by being in scope: the move of all their tensors, giving back the module's own type.</summary>
public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, torch.Device device, bool non_blocking = false)
        where T : torch.nn.Module => (T)module._to(device.type, device.index, non_blocking);

    public static T to<T>(this T module, torch.Device device, torch.ScalarType type, bool non_blocking = false)
        where T : torch.nn.Module => (T)module._to(device, type, non_blocking);

    public static T to<T>(this T module, torch.ScalarType type, bool non_blocking = false)
        where T : torch.nn.Module => (T)module._to(type, non_blocking);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
        where T : torch.nn.Module => (T)module._to(deviceType, deviceIndex, non_blocking);

    public static T to<T>(this T module, string device, bool non_blocking = false)
        where T : torch.nn.Module => module.to(new torch.Device(device), non_blocking);

    public static T cpu<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => module.to(DeviceType.CPU, -1, non_blocking);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false)
        where T : torch.nn.Module => module.to(DeviceType.CUDA, deviceIndex, non_blocking);

    public static T half<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => module.to(torch.ScalarType.Float16, non_blocking);

    public static T bfloat16<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => module.to(torch.ScalarType.BFloat16, non_blocking);

    public static T @float<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => module.to(torch.ScalarType.Float32, non_blocking);

    public static T @double<T>(this T module, bool non_blocking = false)
        where T : torch.nn.Module => module.to(torch.ScalarType.Float64, non_blocking);
}
