using CnnSpec.LibTorch;
using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static RMSProp RMSProp(
                IEnumerable<Parameter> parameters,
                double lr = 0.01,
                double alpha = 0.99,
                double eps = 1e-8,
                double weight_decay = 0,
                double momentum = 0,
                bool centered = false,
                bool maximize = false
            ) => new(parameters, lr, alpha, eps, weight_decay, momentum, centered, maximize);

            public static RMSProp RMSProp(
                IEnumerable<(string name, Parameter parameter)> parameters,
                double lr = 0.01,
                double alpha = 0.99,
                double eps = 1e-8,
                double weight_decay = 0,
                double momentum = 0,
                bool centered = false,
                bool maximize = false
            ) =>
                new(
                    parameters.Select(entry => entry.parameter),
                    lr,
                    alpha,
                    eps,
                    weight_decay,
                    momentum,
                    centered,
                    maximize
                );

            public static RMSProp RMSProp(
                IEnumerable<RMSProp.ParamGroup> parameters,
                double lr = 0.01,
                double alpha = 0.99,
                double eps = 1e-8,
                double weight_decay = 0,
                double momentum = 0,
                bool centered = false,
                bool maximize = false
            ) => new(parameters, lr, alpha, eps, weight_decay, momentum, centered, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    using static torch;

    /// <summary>Divides gradients by a running root of their mean square. Tieleman and Hinton 2012, lecture 6.5.</summary>
    public class RMSProp : OptimizerHelper, optim.IMomentum
    {
        public RMSProp(
            IEnumerable<Parameter> parameters,
            double lr = 1e-3,
            double alpha = 0.99,
            double eps = 1e-8,
            double weight_decay = 0,
            double momentum = 0,
            bool centered = false,
            bool maximize = false
        )
            : this(
                [new ParamGroup { Parameters = parameters }],
                lr,
                alpha,
                eps,
                weight_decay,
                momentum,
                centered,
                maximize
            ) { }

        public RMSProp(
            IEnumerable<ParamGroup> parameters,
            double lr = 1e-3,
            double alpha = 0.99,
            double eps = 1e-8,
            double weight_decay = 0,
            double momentum = 0,
            bool centered = false,
            bool maximize = false
        )
        {
            ArgumentOutOfRangeException.ThrowIfNegative(lr);
            ArgumentOutOfRangeException.ThrowIfNegative(eps);
            ArgumentOutOfRangeException.ThrowIfNegative(momentum);
            ArgumentOutOfRangeException.ThrowIfNegative(weight_decay);
            _defaults = new Options
            {
                LearningRate = lr,
                alpha = alpha,
                eps = eps,
                weight_decay = weight_decay,
                momentum = momentum,
                centered = centered,
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

        public override Tensor? step(Func<Tensor>? closure = null) => _step<ParamGroup>(Update, closure);

        private void Update(ParamGroup group)
        {
            var options = group.Options;
            var (parameters, gradients, states) = Gather<State>(group);
            if (parameters.Length == 0)
                return;
            if (options.maximize == true)
                gradients = Aten.foreach_neg.CallList((Argument)gradients);
            if (options.weight_decay is { } decay and not 0)
                gradients = Aten.foreach_add.CallList(gradients, parameters, decay);
            var alpha = options.alpha!.Value;
            var squares = Array.ConvertAll(states, state => state.square_avg);
            Aten.foreach_mul_.Run(squares, alpha);
            Aten.foreach_addcmul_.Run(squares, gradients, gradients, 1 - alpha);
            if (options.centered == true)
            {
                // The variance rather than the mean square.
                var means = Array.ConvertAll(states, state => state.grad_avg ??= Zeros(state.Parameter));
                Aten.foreach_mul_.Run(means, alpha);
                Aten.foreach_add_.Run(means, gradients, 1 - alpha);
                squares = Aten.foreach_addcmul.CallList(squares, means, means, -1.0);
            }
            var divisors = Aten.foreach_sqrt.CallList((Argument)squares);
            Aten.foreach_addScalar_.Run(divisors, options.eps);
            foreach (var state in states)
                state.step++;
            var momentum = options.momentum!.Value;
            if (momentum == 0)
            {
                Aten.foreach_addcdivScalar_.Run(parameters, gradients, divisors, -group.LearningRate);
                return;
            }
            var buffers = Array.ConvertAll(states, state => state.momentum_buffer ??= Zeros(state.Parameter));
            Aten.foreach_mul_.Run(buffers, momentum);
            Aten.foreach_addcdivScalar_.Run(buffers, gradients, divisors, 1.0);
            Aten.foreach_add_.Run(parameters, buffers, -group.LearningRate);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                DisposeStates();
            base.Dispose(disposing);
        }

        private protected override OptimizerState NewState(Parameter parameter, OptimizerOptions options)
        {
            var state = new State(parameter);
            state.Initialize(options);
            return state;
        }

        private protected override OptimizerOptions NewOptions() => new Options();

        private protected override void Complete(OptimizerOptions options)
        {
            var (own, defaults) = ((Options)options, (Options)_defaults);
            own.alpha ??= defaults.alpha;
            own.eps ??= defaults.eps;
            own.weight_decay ??= defaults.weight_decay;
            own.momentum ??= defaults.momentum;
            own.centered ??= defaults.centered;
            own.maximize ??= defaults.maximize;
        }

        public class State(Parameter parameter) : OptimizerState(parameter)
        {
            public long step;
            public Tensor square_avg = null!;

            /// <summary>Only when centred.</summary>
            public Tensor? grad_avg;

            /// <summary>Only with momentum.</summary>
            public Tensor? momentum_buffer;

            internal Parameter Parameter => _parameter;

            public override void Initialize(OptimizerOptions options)
            {
                step = 0;
                square_avg?.Dispose();
                square_avg = Zeros(_parameter);
                grad_avg = Replace(grad_avg, null);
                momentum_buffer = Replace(momentum_buffer, null);
            }

            public override void LoadStateDict(OptimizerState source)
            {
                var other = (State)source;
                step = other.step;
                square_avg = Replace(square_avg, other.square_avg)!;
                grad_avg = Replace(grad_avg, other.grad_avg);
                momentum_buffer = Replace(momentum_buffer, other.momentum_buffer);
            }

            public override void to(Device device)
            {
                Move(ref square_avg!, device);
                Move(ref grad_avg, device);
                Move(ref momentum_buffer, device);
            }

            internal override IEnumerable<Tensor?> Tensors => [square_avg, grad_avg, momentum_buffer];
        }

        public class Options : OptimizerOptions
        {
            public double? alpha;
            public double? eps;
            public double? weight_decay;
            public double? momentum;
            public bool? centered;
            public bool? maximize;

            public override void LoadStateDict(OptimizerOptions source)
            {
                base.LoadStateDict(source);
                var other = (Options)source;
                (alpha, eps, weight_decay) = (other.alpha, other.eps, other.weight_decay);
                (momentum, centered, maximize) = (other.momentum, other.centered, other.maximize);
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
                double eps = 1e-8,
                double alpha = 0.99,
                double weight_decay = 0,
                double momentum = 0,
                bool centered = false
            )
                : base(
                    parameters,
                    new Options
                    {
                        LearningRate = lr,
                        alpha = alpha,
                        eps = eps,
                        weight_decay = weight_decay,
                        momentum = momentum,
                        centered = centered,
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
