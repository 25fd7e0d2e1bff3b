using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>What a learning rate schedule turns.</summary>
            public interface ILearningRateController
            {
                double LearningRate { get; set; }
                double InitialLearningRate { get; set; }
            }

            public interface IMomentum
            {
                double Momentum { get; set; }
            }

            public interface IBetas
            {
                (double, double) Betas { get; set; }
            }

            /// <summary>Turns gradients into changes of parameters.</summary>
            public abstract class Optimizer : IDisposable
            {
                protected IList<ParamGroup> _parameter_groups = [];

                private protected Optimizer() { }

                public virtual IEnumerable<ILearningRateController> ParamGroups => _parameter_groups;

                public virtual IEnumerable<Parameter> parameters() =>
                    _parameter_groups.SelectMany(group => group.Parameters);

                public virtual void add_param_group(ParamGroup param_group) => _parameter_groups.Add(param_group);

                /// <summary>Forgets every gradient.</summary>
                public virtual void zero_grad()
                {
                    foreach (var parameter in parameters())
                        parameter.grad = null;
                }

                /// <summary>Makes one step by the gradients that are there.</summary>
                /// <param name="closure">Computes gradients and the loss anew, where the method wants that.</param>
                /// <returns>The closure's loss; null without one.</returns>
                public abstract Tensor? step(Func<Tensor>? closure = null);

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing) { }

                /// <summary>Options of each group, state of each parameter, and which state is whose.</summary>
                public class StateDictionary
                {
                    internal StateDictionary() { }

                    public List<OptimizerOptions> Options { get; } = [];

                    /// <summary>For each group, the positions of its parameters' states in <see cref="State"/>.</summary>
                    public List<List<int>> StateIndexRef { get; } = [];

                    public List<OptimizerState> State { get; } = [];
                }
            }
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Settings of a parameter group; what is null there is taken from the optimizer.</summary>
    public class OptimizerOptions
    {
        public double? LearningRate { get; set; }

        public double InitialLearningRate { get; set; }

        public virtual void LoadStateDict(OptimizerOptions source)
        {
            LearningRate = source.LearningRate;
            InitialLearningRate = source.InitialLearningRate;
        }
    }

    /// <summary>What an optimizer remembers of one parameter.</summary>
    public abstract class OptimizerState(Parameter parameter)
    {
        protected Parameter _parameter = parameter;

        /// <summary>Sets the state as before the first step.</summary>
        public abstract void Initialize(OptimizerOptions options);

        /// <summary>Takes over the values of another state of the same kind.</summary>
        public abstract void LoadStateDict(OptimizerState source);

        public virtual void to(torch.Device device) { }

        internal abstract IEnumerable<torch.Tensor?> Tensors { get; }
    }

    /// <summary>Parameters that are trained with the same settings.</summary>
    public class ParamGroup : torch.optim.ILearningRateController
    {
        public IEnumerable<Parameter> Parameters { get; set; } = [];

        public OptimizerOptions Options { get; set; } = new();

        public double LearningRate
        {
            get => Options.LearningRate!.Value;
            set => Options.LearningRate = value;
        }

        public double InitialLearningRate
        {
            get => Options.InitialLearningRate;
            set => Options.InitialLearningRate = value;
        }
    }

    /// <summary>A parameter group with the settings of one kind of optimizer.</summary>
    public class ParamGroup<TOptions> : ParamGroup
        where TOptions : OptimizerOptions
    {
        public ParamGroup() { }

        public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
        {
            Parameters = parameters;
            if (options is not null)
                base.Options = options;
        }

        public new TOptions Options
        {
            get => (TOptions)base.Options;
            set => base.Options = value;
        }
    }
}
