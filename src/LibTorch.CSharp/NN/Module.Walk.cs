using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>What a module consists of, by name: <c>layer1.0.conv1.weight</c>.</summary>
        public abstract partial class Module
        {
            public virtual IEnumerable<(string name, Module module)> named_children() =>
                _modules.Select(child => (child.Key, child.Value));

            public virtual IEnumerable<Module> children() => _modules.Values;

            /// <summary>All modules inside this one, at any depth; not itself.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules()
            {
                foreach (var (name, child) in named_children())
                {
                    yield return (name, child);
                    foreach (var (inner, module) in child.named_modules())
                        yield return ($"{name}.{inner}", module);
                }
            }

            public virtual IEnumerable<Module> modules() => named_modules().Select(entry => entry.module);

            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                foreach (var (name, parameter) in _parameters)
                {
                    if (parameter is not null)
                        yield return (name, parameter);
                }
                if (!recurse)
                    yield break;
                // A parameter that two modules share is listed once, under its first name.
                var seen = new HashSet<Tensor>(_parameters.Values, ReferenceEqualityComparer.Instance);
                foreach (var (child, module) in named_children())
                {
                    foreach (var (name, parameter) in module.named_parameters())
                    {
                        if (seen.Add(parameter))
                            yield return ($"{child}.{name}", parameter);
                    }
                }
            }

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) =>
                named_parameters(recurse).Select(entry => entry.parameter);

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(
                bool recurse = true,
                bool include_nonpersistent = true
            )
            {
                foreach (var (name, (tensor, persistent)) in _buffers)
                {
                    if (persistent || include_nonpersistent)
                        yield return (name, tensor);
                }
                if (!recurse)
                    yield break;
                foreach (var (child, module) in named_children())
                {
                    foreach (var (name, buffer) in module.named_buffers(true, include_nonpersistent))
                        yield return ($"{child}.{name}", buffer);
                }
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) =>
                named_buffers(recurse, include_nonpersistent).Select(entry => entry.buffer);

            public bool has_parameter(string target) => named_parameters().Any(entry => entry.name == target);

            public virtual bool has_buffer(string target) => named_buffers().Any(entry => entry.name == target);

            /// <summary>Calls <paramref name="fn"/> on everything inside, then on this module.</summary>
            public virtual Module apply(Action<Module> fn)
            {
                foreach (var module in children())
                    module.apply(fn);
                fn(this);
                return this;
            }

            /// <summary>Forgets the gradients, or sets those that are there to zero.</summary>
            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (var parameter in parameters())
                {
                    if (set_to_none)
                    {
                        parameter.grad = null;
                        continue;
                    }
                    using var gradient = parameter.grad;
                    gradient?.detach_().zero_();
                }
            }
        }
    }
}
