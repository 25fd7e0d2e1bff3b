using CnnSpec.LibTorch;
using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static Adam Adam(
                IEnumerable<Parameter> parameters,
                double lr = 1e-3,
                double beta1 = 0.9,
                double beta2 = 0.999,
                double eps = 1e-8,
                double weight_decay = 0,
                bool amsgrad = false,
                bool maximize = false
            ) => new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Adam Adam(
                IEnumerable<(string name, Parameter parameter)> parameters,
                double lr = 1e-3,
                double beta1 = 0.9,
                double beta2 = 0.999,
                double eps = 1e-8,
                double weight_decay = 0,
                bool amsgrad = false,
                bool maximize = false
            ) =>
                new(
                    parameters.Select(entry => entry.parameter),
                    lr,
                    beta1,
                    beta2,
                    eps,
                    weight_decay,
                    amsgrad,
                    maximize
                );

            public static Adam Adam(
                IEnumerable<Adam.ParamGroup> parameters,
                double lr = 1e-3,
                double beta1 = 0.9,
                double beta2 = 0.999,
                double eps = 1e-8,
                double weight_decay = 0,
                bool amsgrad = false,
                bool maximize = false
            ) => new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    using static torch;

    /// <summary>Kingma and Ba 2014, arXiv:1412.6980. Weight decay is part of the gradient.</summary>
    public class Adam : OptimizerHelper, optim.IBetas
    {
        public Adam(
            IEnumerable<Parameter> parameters,
            double lr = 1e-3,
            double beta1 = 0.9,
            double beta2 = 0.999,
            double eps = 1e-8,
            double weight_decay = 0,
            bool amsgrad = false,
            bool maximize = false
        )
            : this([new ParamGroup { Parameters = parameters }], lr, beta1, beta2, eps, weight_decay, amsgrad, maximize)
        { }

        public Adam(
            IEnumerable<ParamGroup> parameters,
            double lr = 1e-3,
            double beta1 = 0.9,
            double beta2 = 0.999,
            double eps = 1e-8,
            double weight_decay = 0,
            bool amsgrad = false,
            bool maximize = false
        )
        {
            ArgumentOutOfRangeException.ThrowIfNegative(lr);
            ArgumentOutOfRangeException.ThrowIfNegative(eps);
            ArgumentOutOfRangeException.ThrowIfNegative(weight_decay);
            if (beta1 is < 0 or >= 1 || beta2 is < 0 or >= 1)
                throw new ArgumentException($"The betas must lie in [0, 1); they are {beta1} and {beta2}.");
            _defaults = new Options
            {
                LearningRate = lr,
                beta1 = beta1,
                beta2 = beta2,
                eps = eps,
                weight_decay = weight_decay,
                amsgrad = amsgrad,
                maximize = maximize,
            };
            AddGroups(parameters);
        }

        /// <summary>The betas of every group; reading gives the optimizer's own.</summary>
        public (double, double) Betas
        {
            get => (((Options)_defaults).beta1!.Value, ((Options)_defaults).beta2!.Value);
            set
            {
                foreach (
                    var options in _parameter_groups.Select(group => (Options)group.Options).Append((Options)_defaults)
                )
                    (options.beta1, options.beta2) = value;
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
            double decay = options.weight_decay!.Value;
            AdamStep.Run(parameters, gradients, states, group.LearningRate, options, decay);
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
            own.beta1 ??= defaults.beta1;
            own.beta2 ??= defaults.beta2;
            own.eps ??= defaults.eps;
            own.weight_decay ??= defaults.weight_decay;
            own.amsgrad ??= defaults.amsgrad;
            own.maximize ??= defaults.maximize;
        }

        public class State(Parameter parameter) : OptimizerState(parameter), IAdamState
        {
            public long step;
            public Tensor exp_avg = null!;
            public Tensor exp_avg_sq = null!;

            /// <summary>Only with amsgrad.</summary>
            public Tensor? max_exp_avg_sq;

            public override void Initialize(OptimizerOptions options)
            {
                step = 0;
                exp_avg = Fresh(exp_avg);
                exp_avg_sq = Fresh(exp_avg_sq);
                max_exp_avg_sq =
                    ((Options)options).amsgrad == true ? Fresh(max_exp_avg_sq) : Replace(max_exp_avg_sq, null);
            }

            public override void LoadStateDict(OptimizerState source)
            {
                var other = (State)source;
                step = other.step;
                exp_avg = Replace(exp_avg, other.exp_avg)!;
                exp_avg_sq = Replace(exp_avg_sq, other.exp_avg_sq)!;
                max_exp_avg_sq = Replace(max_exp_avg_sq, other.max_exp_avg_sq);
            }

            public override void to(Device device)
            {
                Move(ref exp_avg!, device);
                Move(ref exp_avg_sq!, device);
                Move(ref max_exp_avg_sq, device);
            }

            private Tensor Fresh(Tensor? old)
            {
                old?.Dispose();
                return Zeros(_parameter);
            }

            internal override IEnumerable<Tensor?> Tensors => [exp_avg, exp_avg_sq, max_exp_avg_sq];

            long IAdamState.Advance() => ++step;

            Tensor IAdamState.Mean => exp_avg;

            Tensor IAdamState.Square => exp_avg_sq;

            Tensor IAdamState.LargestSquare => max_exp_avg_sq!;
        }

        public class Options : OptimizerOptions, IAdamOptions
        {
            public double? beta1;
            public double? beta2;
            public double? eps;
            public double? weight_decay;
            public bool? amsgrad;
            public bool? maximize;

            public override void LoadStateDict(OptimizerOptions source)
            {
                base.LoadStateDict(source);
                var other = (Options)source;
                (beta1, beta2, eps) = (other.beta1, other.beta2, other.eps);
                (weight_decay, amsgrad, maximize) = (other.weight_decay, other.amsgrad, other.maximize);
            }

            (double, double) IAdamOptions.Betas => (beta1!.Value, beta2!.Value);

            double IAdamOptions.Eps => eps!.Value;

            bool IAdamOptions.Amsgrad => amsgrad == true;
        }

        public class ParamGroup : ParamGroup<Options>, optim.IBetas
        {
            public ParamGroup() => Options = new Options();

            public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                : base(parameters, options) { }

            public ParamGroup(
                IEnumerable<Parameter> parameters,
                double lr = 1e-3,
                double beta1 = 0.9,
                double beta2 = 0.999,
                double eps = 1e-8,
                double weight_decay = 0,
                bool amsgrad = false,
                bool maximize = false
            )
                : base(
                    parameters,
                    new Options
                    {
                        LearningRate = lr,
                        beta1 = beta1,
                        beta2 = beta2,
                        eps = eps,
                        weight_decay = weight_decay,
                        amsgrad = amsgrad,
                        maximize = maximize,
                    }
                ) { }

            public (double, double) Betas
            {
                get => (Options.beta1!.Value, Options.beta2!.Value);
                set => (Options.beta1, Options.beta2) = value;
            }
        }
    }
}
