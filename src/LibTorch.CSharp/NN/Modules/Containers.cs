using System.Collections;
using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static ModuleList<T> ModuleList<T>(params T[] modules)
                where T : Module => new(modules);

            public static ModuleDict<T> ModuleDict<T>(params (string, T)[] modules)
                where T : Module
            {
                var dictionary = new ModuleDict<T>();
                foreach (var (name, module) in modules)
                    dictionary.Add(name, module);
                return dictionary;
            }

            /// <summary>Modules one after the other, numbered from 0.</summary>
            public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules);

            public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) =>
                new(modules);

            public static Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new([.. modules]);

            public static Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) =>
                new([.. modules]);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Modules one after the other: what one gives, the next takes. Intermediate results are disposed.</summary>
    public class Sequential : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.IModule<Tensor, Tensor>> _chain = [];

        protected internal Sequential(params (string name, nn.Module<Tensor, Tensor> module)[] modules)
            : base(nameof(Sequential))
        {
            foreach (var (name, module) in modules)
                append(name, module);
        }

        protected internal Sequential(params nn.Module<Tensor, Tensor>[] modules)
            : base(nameof(Sequential))
        {
            foreach (var module in modules)
                append(module);
        }

        public int Count => _chain.Count;

        [IndexerName("SequentialItems")]
        public nn.IModule<Tensor, Tensor> this[int index] => _chain[index];

        public Sequential append(nn.IModule<Tensor, Tensor> module) => append(_chain.Count.ToString(), module);

        public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
        {
            register_module(name, (nn.Module)module);
            _chain.Add(module);
            return this;
        }

        public override Tensor forward(Tensor tensor)
        {
            if (_chain.Count == 0)
                return tensor.alias();
            using var scope = NewDisposeScope();
            foreach (var module in _chain)
                tensor = module.call(tensor);
            return tensor.MoveToOuterDisposeScope();
        }
    }

    /// <summary>Modules in order, numbered from 0.</summary>
    public class ModuleList<T> : nn.Module, IEnumerable<T>
        where T : nn.Module
    {
        private readonly List<T> _list = [];

        public ModuleList(params T[] modules)
            : base(nameof(ModuleList<T>)) => append(modules);

        public int Count => _list.Count;

        public T this[int index]
        {
            get => _list[index];
            set
            {
                ReplaceModule(index.ToString(), value);
                _list[index] = value;
            }
        }

        public void Add(T item)
        {
            register_module(_list.Count.ToString(), item);
            _list.Add(item);
        }

        public void append(params T[] parameters) => extend(parameters);

        public void extend(IEnumerable<T> modules)
        {
            foreach (var module in modules)
                Add(module);
        }

        public IEnumerator<T> GetEnumerator() => _list.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Modules by name, in order.</summary>
    public class ModuleDict<T> : nn.Module, IEnumerable<(string, T)>
        where T : nn.Module
    {
        private readonly OrderedDictionary<string, T> _dictionary = [];

        public ModuleDict()
            : base(nameof(ModuleDict<T>)) { }

        public int Count => _dictionary.Count;

        public T this[string key]
        {
            get => _dictionary[key];
            set
            {
                ReplaceModule(key, value);
                _dictionary[key] = value;
            }
        }

        public void Add(string key, T value)
        {
            register_module(key, value);
            _dictionary.Add(key, value);
        }

        public bool ContainsKey(string key) => _dictionary.ContainsKey(key);

        public IEnumerable<string> keys() => _dictionary.Keys;

        public IEnumerable<T> values() => _dictionary.Values;

        public IEnumerator<(string, T)> GetEnumerator() =>
            _dictionary.Select(entry => (entry.Key, entry.Value)).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
