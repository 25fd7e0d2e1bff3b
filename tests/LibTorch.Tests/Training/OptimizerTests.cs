using NUnit.Framework;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CnnSpec.LibTorch.Tests.Training;

/// <summary>
/// A published recipe gives its result only with the published update rule. Each rule is written out once more here, in
/// plain doubles, as PyTorch 1.13 documents it.
/// </summary>
[TestFixture]
public sealed class OptimizerTests
{
    private const int Steps = 12;

    private static readonly double[] s_start = [0.5, -1.25, 2.0, 0.01, -0.3, 1.0];

    /// <summary>The gradient of a bowl that is steeper on one side: it changes sign and size along the way.</summary>
    private static double Slope(double x, int i) => (i + 1) * (x - 0.2) + Math.Sin(3 * x);

    private delegate double Rule(int step, double x, double gradient, Dictionary<string, double> memory);

    private static IEnumerable<TestCaseData> Rules =>
        [
            Case("SGD", p => optim.SGD(p, 0.1), Sgd(0.1)),
            Case(
                "SGD with momentum, dampening and decay",
                p => optim.SGD(p, 0.05, 0.9, 0.1, 0.01),
                Sgd(0.05, 0.9, 0.1, 0.01)
            ),
            Case(
                "SGD, Nesterov",
                p => optim.SGD(p, 0.05, 0.9, weight_decay: 0.01, nesterov: true),
                Sgd(0.05, 0.9, 0, 0.01, true)
            ),
            Case("SGD, maximizing", p => optim.SGD(p, 0.01, 0.9, maximize: true), Negated(Sgd(0.01, 0.9))),
            Case("Adam", p => optim.Adam(p, 0.05), Adam(0.05)),
            Case(
                "Adam with decay and amsgrad",
                p => optim.Adam(p, 0.05, 0.8, 0.95, 1e-6, 0.1, true),
                Adam(0.05, 0.8, 0.95, 1e-6, 0.1, true)
            ),
            Case("Adam, maximizing", p => optim.Adam(p, 0.01, maximize: true), Negated(Adam(0.01))),
            Case("AdamW", p => optim.AdamW(p, 0.05, weight_decay: 0.1), AdamW(0.05, 0.1)),
            Case("RMSProp", p => optim.RMSProp(p, 0.02, 0.9, weight_decay: 0.1), RmsProp(0.02, 0.9, 0, false, 0.1)),
            Case(
                "RMSProp, centred, with momentum",
                p => optim.RMSProp(p, 0.02, 0.9, momentum: 0.7, centered: true),
                RmsProp(0.02, 0.9, 0.7, true)
            ),
        ];

    private static TestCaseData Case(string name, Func<Parameter[], OptimizerHelper> make, Rule rule) =>
        new TestCaseData(make, rule).SetName($"{{m}}({name})");

    [TestCaseSource(nameof(Rules))]
    public void Steps_follow_the_published_rule(Delegate make, Delegate rule)
    {
        using var scope = NewDisposeScope();
        var (parameters, expected) = (Parameters(), (double[])s_start.Clone());
        using var optimizer = ((Func<Parameter[], OptimizerHelper>)make)(parameters);
        var memories = s_start.Select(_ => new Dictionary<string, double>()).ToArray();
        for (var step = 1; step <= Steps; step++)
        {
            SetGradients(parameters);
            optimizer.step();
            for (var i = 0; i < expected.Length; i++)
                expected[i] = ((Rule)rule)(step, expected[i], Slope(expected[i], i), memories[i]);
        }
        Assert.That(Values(parameters), Is.EqualTo(expected).Within(1e-10));
    }

    /// <summary>Steps in float32 are one pass over pieces of all parameters; in float64 each operation is by itself.</summary>
    [TestCaseSource(nameof(Rules))]
    public void A_step_in_one_pass_is_the_step_by_operations(Delegate make, Delegate _)
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        // More values than one piece has, vectors that are not full, one value, and a parameter without a gradient.
        long[][] shapes =
        [
            [3, 5],
            [20_000],
            [2, 3, 3, 3],
            [],
            [7],
        ];
        var wide = Array.ConvertAll(shapes, shape => Parameter(randn(shape).to(ScalarType.Float64)));
        var narrow = Array.ConvertAll(wide, parameter => Parameter(parameter.detach().to(ScalarType.Float32)));
        using var expected = ((Func<Parameter[], OptimizerHelper>)make)(wide);
        using var actual = ((Func<Parameter[], OptimizerHelper>)make)(narrow);
        long changes = FusedKernels.Versions(narrow[..^1]);
        for (var step = 0; step < 5; step++)
        {
            for (var i = 0; i < shapes.Length - 1; i++)
            {
                narrow[i].grad = randn(shapes[i]);
                wide[i].grad = narrow[i].grad!.to(ScalarType.Float64);
            }
            expected.step();
            actual.step();
            long now = FusedKernels.Versions(narrow[..^1]);
            Assert.That(
                now,
                Is.GreaterThan(changes),
                "whoever keeps something made of the weights must see the change"
            );
            changes = now;
        }
        for (var i = 0; i < shapes.Length; i++)
            Assert.That(
                (narrow[i].to(ScalarType.Float64) - wide[i]).abs().max().item<double>(),
                Is.LessThan(1e-5),
                $"[{string.Join(", ", shapes[i])}]"
            );
    }

    [Test]
    public void The_magnitude_of_tensors_is_the_sum_of_their_absolute_values()
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.Float64 })
        {
            Tensor[] all = [randn(20_000).to(type), randn(3, 5).to(type), tensor(-2.5).to(type)];
            double expected = all.Sum(one => one.abs().sum().to(ScalarType.Float64).item<double>());
            Assert.That(
                FusedKernels.Magnitude(all).to(ScalarType.Float64).item<double>(),
                Is.EqualTo(expected).Within(expected * 1e-6)
            );
            foreach (float bad in new[] { float.NaN, float.NegativeInfinity })
            {
                all[0][19_999] = tensor(bad);
                Assert.That(
                    double.IsFinite(FusedKernels.Magnitude(all).to(ScalarType.Float64).item<double>()),
                    Is.False
                );
            }
        }
    }

    [Test]
    public void A_state_dictionary_continues_exactly()
    {
        using var scope = NewDisposeScope();
        var (whole, halves) = (Parameters(), Parameters());
        using var once = optim.Adam(whole, 0.05, amsgrad: true);
        using var first = optim.Adam(halves, 0.05, amsgrad: true);
        Run(once, whole, 10);
        Run(first, halves, 5);
        using var second = optim.Adam(halves, 0.9, amsgrad: true);
        second.load_state_dict(first.state_dict());
        Assert.That(second.ParamGroups.Single().LearningRate, Is.EqualTo(0.05));
        Run(second, halves, 5);
        Assert.That(Values(halves), Is.EqualTo(Values(whole)));
    }

    [Test]
    public void Groups_have_settings_of_their_own_and_a_rate_that_can_be_turned()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        using var optimizer = optim.SGD(
            [new SGD.ParamGroup([parameters[0]], lr: 0.5), new SGD.ParamGroup { Parameters = [parameters[1]] }],
            0.1
        );
        var groups = optimizer.ParamGroups.ToArray();
        Assert.That(groups.Select(group => group.LearningRate), Is.EqualTo(new[] { 0.5, 0.1 }));
        groups[0].LearningRate = 0;
        Assert.That(groups[0].InitialLearningRate, Is.EqualTo(0.5));
        var before = Values(parameters);
        SetGradients(parameters);
        optimizer.step();
        var after = Values(parameters);
        Assert.That(after[..3], Is.EqualTo(before[..3]));
        Assert.That(after[3..], Is.Not.EqualTo(before[3..]));
    }

    [Test]
    public void A_parameter_without_a_gradient_stays_and_counts_no_step()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        using var optimizer = optim.Adam(parameters, 0.1);
        var before = Values(parameters);
        SetGradients(parameters[..1]);
        optimizer.step();
        Assert.That(Values(parameters)[3..], Is.EqualTo(before[3..]));
        Assert.That(
            optimizer.state_dict().State.Cast<Adam.State>().Select(state => state.step),
            Is.EqualTo(new long[] { 1, 0 })
        );
        optimizer.zero_grad();
        Assert.That(parameters[0].grad is null);
    }

    [Test]
    public void A_closure_runs_with_gradients_and_its_loss_comes_back()
    {
        using var scope = NewDisposeScope();
        var parameter = Parameter(tensor(new[] { 3.0 }));
        using var optimizer = optim.SGD([parameter], 0.25);
        var loss = optimizer.step(() =>
        {
            optimizer.zero_grad();
            var value = parameter.square().sum();
            value.backward();
            return value;
        });
        Assert.That((loss!.item<double>(), parameter.item<double>()), Is.EqualTo((9.0, 1.5)));
    }

    [Test]
    public void Clipping_shrinks_all_gradients_together()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        SetGradients(parameters);
        var gradients = s_start.Select(Slope).ToArray();
        var norm = Math.Sqrt(gradients.Sum(gradient => gradient * gradient));
        Assert.That(utils.clip_grad_norm_(parameters, 0.5), Is.EqualTo(norm).Within(1e-9));
        Assert.That(Gradients(parameters), Is.EqualTo(gradients.Select(g => g * 0.5 / (norm + 1e-6))).Within(1e-9));
        SetGradients(parameters);
        Assert.That(
            utils.clip_grad_norm_(parameters, 1e9, double.PositiveInfinity),
            Is.EqualTo(gradients.Max(Math.Abs)).Within(1e-6)
        );
        utils.clip_grad_value_(parameters, 0.4);
        Assert.That(Gradients(parameters), Is.EqualTo(gradients.Select(g => Math.Clamp(g, -0.4, 0.4))).Within(1e-12));
    }

    private static Rule Sgd(
        double lr,
        double momentum = 0,
        double dampening = 0,
        double decay = 0,
        bool nesterov = false
    ) =>
        (step, x, gradient, memory) =>
        {
            gradient += decay * x;
            if (momentum == 0)
                return x - lr * gradient;
            memory["b"] = step == 1 ? gradient : momentum * memory["b"] + (1 - dampening) * gradient;
            return x - lr * (nesterov ? gradient + momentum * memory["b"] : memory["b"]);
        };

    private static Rule Adam(
        double lr,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double eps = 1e-8,
        double decay = 0,
        bool amsgrad = false
    ) =>
        (step, x, gradient, memory) =>
        {
            gradient += decay * x;
            var mean = memory["m"] = beta1 * memory.GetValueOrDefault("m") + (1 - beta1) * gradient;
            var square = memory["v"] = beta2 * memory.GetValueOrDefault("v") + (1 - beta2) * gradient * gradient;
            if (amsgrad)
                square = memory["max"] = Math.Max(memory.GetValueOrDefault("max"), square);
            var unbiasedMean = mean / (1 - Math.Pow(beta1, step));
            return x - lr * unbiasedMean / (Math.Sqrt(square / (1 - Math.Pow(beta2, step))) + eps);
        };

    private static Rule AdamW(double lr, double decay) =>
        (step, x, gradient, memory) => Adam(lr)(step, x - lr * decay * x, gradient, memory);

    private static Rule RmsProp(double lr, double alpha, double momentum, bool centered, double decay = 0) =>
        (step, x, gradient, memory) =>
        {
            gradient += decay * x;
            var square = memory["v"] = alpha * memory.GetValueOrDefault("v") + (1 - alpha) * gradient * gradient;
            var mean = memory["g"] = alpha * memory.GetValueOrDefault("g") + (1 - alpha) * gradient;
            var change = gradient / (Math.Sqrt(centered ? square - mean * mean : square) + 1e-8);
            memory["b"] = momentum * memory.GetValueOrDefault("b") + change;
            return x - lr * memory["b"];
        };

    private static Rule Negated(Rule rule) => (step, x, gradient, memory) => rule(step, x, -gradient, memory);

    // Two parameters, so that a step over lists cannot mix them up unseen.
    private static Parameter[] Parameters() => [Parameter(tensor(s_start[..3])), Parameter(tensor(s_start[3..]))];

    private static void Run(OptimizerHelper optimizer, Parameter[] parameters, int steps)
    {
        for (var step = 0; step < steps; step++)
        {
            SetGradients(parameters);
            optimizer.step();
        }
    }

    private static void SetGradients(Parameter[] parameters)
    {
        var i = 0;
        foreach (var parameter in parameters)
            parameter.grad = tensor(parameter.data<double>().ToArray().Select(x => Slope(x, i++)).ToArray());
    }

    private static double[] Values(Parameter[] parameters) =>
        [.. parameters.SelectMany(parameter => parameter.data<double>().ToArray())];

    private static double[] Gradients(Parameter[] parameters) =>
        [.. parameters.SelectMany(parameter => parameter.grad!.data<double>().ToArray())];
}
