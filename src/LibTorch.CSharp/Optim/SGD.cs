using CnnSpec.LibTorch;
using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static SGD SGD(
                IEnumerable<Parameter> parameters,
                double learningRate,
                double momentum = 0.0,
                double dampening = 0,
                double weight_decay = 0,
                bool nesterov = false,
                bool maximize = false
            ) => new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(
                IEnumerable<(string name, Parameter parameter)> parameters,
                double learningRate,
                double momentum = 0.0,
                double dampening = 0,
                double weight_decay = 0,
                bool nesterov = false,
                bool maximize = false
            ) =>
                new(
                    parameters.Select(entry => entry.parameter),
                    learningRate,
                    momentum,
                    dampening,
                    weight_decay,
                    nesterov,
                    maximize
                );

            public static SGD SGD(
                IEnumerable<SGD.ParamGroup> parameters,
                double learningRate,
                double momentum = 0.0,
                double dampening = 0,
                double weight_decay = 0,
                bool nesterov = false,
                bool maximize = false
            ) => new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    using static torch;

    /// <summary>Stochastic gradient descent, with momentum as PyTorch defines it: the learning rate outside.</summary>
    public class SGD : OptimizerHelper, optim.IMomentum
    {
        public SGD(
            IEnumerable<Parameter> parameters,
            double lr,
            double momentum = 0,
            double dampening = 0,
            double weight_decay = 0,
            bool nesterov = false,
            bool maximize = false
        )
            : this(
                [new ParamGroup { Parameters = parameters }],
                lr,
                momentum,
                dampening,
                weight_decay,
                nesterov,
                maximize
            ) { }

        public SGD(
            IEnumerable<ParamGroup> parameters,
            double lr,
            double momentum = 0,
            double dampening = 0,
            double weight_decay = 0,
            bool nesterov = false,
            bool maximize = false
        )
        {
            ArgumentOutOfRangeException.ThrowIfNegative(lr);
            ArgumentOutOfRangeException.ThrowIfNegative(momentum);
            ArgumentOutOfRangeException.ThrowIfNegative(weight_decay);
            if (nesterov && (momentum == 0 || dampening != 0))
                throw new ArgumentException("Nesterov momentum needs a momentum and no dampening.", nameof(nesterov));
            _defaults = new Options
            {
                LearningRate = lr,
                momentum = momentum,
                dampening = dampening,
                weight_decay = weight_decay,
                nesterov = nesterov,
                maximize = maximize,
            };
            AddGroups(parameters);
        }

        /// <summary>The momentum of every group; reading gives the optimizer's own.</summary>
        public double Momentum
        {
            get => ((Options)_defaults).momentum!.Value;
            set
            {
                ((Options)_defaults).momentum = value;
                foreach (var group in _parameter_groups)
                    ((Options)group.Options).momentum = value;
            }
        }

        private static readonly Operator Fused = new("cnnspec::sgd_");

        public override Tensor? step(Func<Tensor>? closure = null) => _step<ParamGroup>(Update, closure);

        private static void Decay(ref Tensor[] gradients, Tensor[] parameters, double decay)
        {
            if (decay != 0)
                gradients = Aten.foreach_add.CallList(gradients, parameters, decay);
        }

        private void Update(ParamGroup group)
        {
            var options = group.Options;
            var (parameters, gradients, states) = Gather<State>(group);
            if (parameters.Length == 0)
                return;
            if (options.maximize == true)
                gradients = Aten.foreach_neg.CallList((Argument)gradients);
            if (TryInOnePass(parameters, gradients, states, group.LearningRate, options))
                return;
            Decay(ref gradients, parameters, options.weight_decay!.Value);
            if (options.momentum is { } momentum and not 0)
                gradients = Accelerate(gradients, states, momentum, options);
            Aten.foreach_add_.Run(parameters, gradients, -group.LearningRate);
        }

        /// <summary>Makes the step where the engine can in one pass; else changes nothing and answers false.</summary>
        private static bool TryInOnePass(
            Tensor[] parameters,
            Tensor[] gradients,
            State[] states,
            double rate,
            Options options
        )
        {
            double momentum = options.momentum!.Value;
            Tensor?[] momenta = momentum == 0 ? [] : Array.ConvertAll(states, state => state.momentum_buffer);
            return momenta.All(buffer => buffer is not null)
                && Fused
                    .CallScalar(
                        parameters,
                        gradients,
                        momenta!,
                        rate,
                        momentum,
                        options.dampening!.Value,
                        options.weight_decay!.Value,
                        options.nesterov!.Value
                    )
                    .ToBoolean();
        }

        // The first gradient is the first momentum, undampened; so states with and without one part ways.
        private static Tensor[] Accelerate(Tensor[] gradients, State[] states, double momentum, Options options)
        {
            var old = Enumerable.Range(0, states.Length).Where(i => states[i].momentum_buffer is not null).ToArray();
            if (old.Length > 0)
            {
                var buffers = old.Select(i => states[i].momentum_buffer!).ToArray();
                Aten.foreach_mul_.Run(buffers, momentum);
                Aten.foreach_add_.Run(buffers, old.Select(i => gradients[i]).ToArray(), 1 - options.dampening!.Value);
            }
            for (var i = 0; i < states.Length; i++)
                states[i].momentum_buffer ??= gradients[i].clone().DetachFromDisposeScope();
            var all = states.Select(state => state.momentum_buffer!).ToArray();
            return options.nesterov == true ? Aten.foreach_add.CallList(gradients, all, momentum) : all;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                DisposeStates();
            base.Dispose(disposing);
        }

        private protected override OptimizerState NewState(Parameter parameter, OptimizerOptions options) =>
            new State(parameter);

        private protected override OptimizerOptions NewOptions() => new Options();

        private protected override void Complete(OptimizerOptions options)
        {
            var (own, defaults) = ((Options)options, (Options)_defaults);
            own.momentum ??= defaults.momentum;
            own.dampening ??= defaults.dampening;
            own.weight_decay ??= defaults.weight_decay;
            own.nesterov ??= defaults.nesterov;
            own.maximize ??= defaults.maximize;
        }

        public class State(Parameter parameter) : OptimizerState(parameter)
        {
            /// <summary>Null before the first step and without momentum.</summary>
            public Tensor? momentum_buffer;

            public override void Initialize(OptimizerOptions options) =>
                momentum_buffer = Replace(momentum_buffer, null);

            public override void LoadStateDict(OptimizerState source) =>
                momentum_buffer = Replace(momentum_buffer, ((State)source).momentum_buffer);

            public override void to(Device device) => Move(ref momentum_buffer, device);

            internal override IEnumerable<Tensor?> Tensors => [momentum_buffer];
        }

        public class Options : OptimizerOptions
        {
            public double? momentum;
            public double? dampening;
            public double? weight_decay;
            public bool? nesterov;
            public bool? maximize;

            public override void LoadStateDict(OptimizerOptions source)
            {
                base.LoadStateDict(source);
                var other = (Options)source;
                (momentum, dampening, weight_decay) = (other.momentum, other.dampening, other.weight_decay);
                (nesterov, maximize) = (other.nesterov, other.maximize);
            }
        }

        public class ParamGroup : ParamGroup<Options>, optim.IMomentum
        {
            public ParamGroup() => Options = new Options();

            public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                : base(parameters, options) { }

            public ParamGroup(
                IEnumerable<Parameter> parameters,
                double lr = 1e-3,
                double momentum = 0,
                double dampening = 0,
                double weight_decay = 0,
                bool nesterov = false,
                bool maximize = false
            )
                : base(
                    parameters,
                    new Options
                    {
                        LearningRate = lr,
                        momentum = momentum,
                        dampening = dampening,
                        weight_decay = weight_decay,
                        nesterov = nesterov,
                        maximize = maximize,
                    }
                ) { }

            public double Momentum
            {
                get => Options.momentum!.Value;
                set => Options.momentum = value;
            }
        }
    }
}
