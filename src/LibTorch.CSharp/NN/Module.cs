using System.Reflection;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>
            /// A part of a network: parameters that are trained, buffers that are only kept, and further modules, each by
            /// name. It owns them, so they outlive the dispose scope in which they were made.
            /// </summary>
            public abstract partial class Module : IDisposable
            {
                protected readonly string name;
                private readonly OrderedDictionary<string, Parameter> _parameters = [];
                private readonly OrderedDictionary<string, (Tensor tensor, bool persistent)> _buffers = [];
                private readonly OrderedDictionary<string, Module> _modules = [];

                protected Module(string name) => this.name = name;

                public virtual string GetName() => name;

                /// <summary>Whether dropout drops and batch norms gather statistics.</summary>
                public virtual bool training { get; private set; } = true;

                public virtual void train(bool train = true)
                {
                    training = train;
                    foreach (var module in children())
                        module.train(train);
                }

                public virtual void eval() => train(false);

                public virtual void register_parameter(string name, Parameter param)
                {
                    param?.DetachFromDisposeScope();
                    Add(_parameters, name, param!);
                }

                public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
                {
                    ArgumentNullException.ThrowIfNull(tensor);
                    Add(_buffers, name, (tensor.DetachFromDisposeScope(), persistent));
                }

                public virtual void register_module(string name, Module submodule)
                {
                    ArgumentNullException.ThrowIfNull(submodule);
                    Add(_modules, name, submodule);
                }

                public void add_module(string name, Module module) => register_module(name, module);

                private protected void ReplaceModule(string name, Module module) => _modules[name] = module;

                /// <summary>
                /// Registers what the fields hold, under the names of the fields; call it last in a constructor. A field may
                /// have another name by <see cref="ComponentNameAttribute"/>.
                /// </summary>
                protected virtual void RegisterComponents()
                {
                    const BindingFlags fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
                    foreach (var field in GetType().GetFields(fields))
                    {
                        if (field.DeclaringType == typeof(Module))
                            continue;
                        var component = field.GetCustomAttribute<ComponentNameAttribute>()?.Name ?? field.Name;
                        switch (field.GetValue(this))
                        {
                            case Module module when !_modules.ContainsKey(component):
                                register_module(component, module);
                                break;
                            case Parameter parameter when !_parameters.ContainsKey(component):
                                register_parameter(component, parameter);
                                break;
                            case Modules.Parameter:
                                break;
                            case Tensor tensor when !_buffers.ContainsKey(component):
                                register_buffer(component, tensor);
                                break;
                        }
                    }
                }

                private void Add<T>(OrderedDictionary<string, T> components, string name, T component)
                {
                    if (name.Contains('.'))
                        throw new ArgumentException($"A component's name cannot hold a dot: '{name}'.", nameof(name));
                    if (!components.TryAdd(name, component))
                        throw new InvalidOperationException($"'{name}' is already registered.");
                }

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing)
                {
                    if (!disposing)
                        return;
                    foreach (var module in _modules.Values)
                        module.Dispose();
                    foreach (var parameter in _parameters.Values)
                        parameter?.Dispose();
                    foreach (var (tensor, _) in _buffers.Values)
                        tensor.Dispose();
                }
            }
        }
    }
}

namespace TorchSharp.Utils
{
    /// <summary>The name under which <c>RegisterComponents</c> registers a field, where it is not the field's own.</summary>
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class ComponentNameAttribute : Attribute
    {
        public string? Name { get; set; }
    }
}
