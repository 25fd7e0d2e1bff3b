using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Inference;
using CnnSpec.Runtime.Networks;
using CnnSpec.Runtime.Runs;
using CnnSpec.Runtime.Tests.Networks;
using CnnSpec.Runtime.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>What each setting of a recipe does to the weights.</summary>
public class RecipeSettingsTests
{
    private const string Body = "conv(3, kernel=3); relu; flatten; linear(10)";

    [TestCase("cross_entropy()")]
    [TestCase("cross_entropy(class_weights=[1, 5, 1, 1, 0.1, 0, 1, 8, 1, 2])")]
    [TestCase("cross_entropy(class_weights=balanced, label_smoothing=0.1)")]
    public void Small_batches_accumulated_learn_what_one_large_batch_does(string loss)
    {
        // 128 images: the last step of an epoch has two small batches, or 32 images.
        string common = $"loss = {loss}; optimizer = sgd(lr=0.1, momentum=0.9); epochs = 3";
        var (large, toldOfLarge) = Runs.Train(Body, $"{common}; batch = 48");
        var (small, toldOfSmall) = Runs.Train(Body, $"{common}; batch = 16; accumulate = 3");
        var (plain, _) = Runs.Train(Body, $"{common}; batch = 16");
        Assert.That(Runs.Distance(large, small), Is.LessThan(2e-5));
        Assert.That(Losses(toldOfSmall), Is.EqualTo(Losses(toldOfLarge)).Within(1e-5));
        Assert.That(Runs.Distance(large, plain), Is.GreaterThan(1e-3), "or the test sees nothing");
    }

    private static double[] Losses(List<TrainingEvent> told) =>
        [.. told.OfType<EpochEnded>().Select(ended => ended.Metrics.TrainLoss)];

    [Test]
    public void A_clipped_norm_bounds_every_step()
    {
        // Without momentum a step is the rate times the gradient: one epoch of one step of norm 0.01 · 0.5.
        var (trained, _) = Runs.Train(Body, "optimizer = sgd(lr=0.5); epochs = 1; batch = 128; clip_norm = 0.01");
        var (still, _) = Runs.Train(Body, "optimizer = sgd(lr=0); epochs = 1; batch = 128");
        double squares = trained.Sum(w => w.Value.Zip(still[w.Key], (x, y) => Math.Pow((double)x - y, 2)).Sum());
        Assert.That(Math.Sqrt(squares), Is.EqualTo(0.005).Within(1e-5));
    }

    [Test]
    public void A_clipped_value_bounds_every_number_of_a_step()
    {
        var (trained, _) = Runs.Train(Body, "optimizer = sgd(lr=1); epochs = 1; batch = 128; clip_value = 0.001");
        var (still, _) = Runs.Train(Body, "optimizer = sgd(lr=0); epochs = 1; batch = 128");
        Assert.That(Runs.Distance(trained, still), Is.EqualTo(0.001).Within(1e-6));
    }

    [TestCase("sgd(lr=0.1, weight_decay=1)")]
    [TestCase("adam(lr=0.1, weight_decay=1)")]
    [TestCase("adamw(lr=0.1, weight_decay=1)")]
    [TestCase("rmsprop(lr=0.1, weight_decay=1)")]
    public void Decay_on_weights_leaves_biases_and_factors_of_normalisation_alone(string optimizer)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        const string body = "conv(3, kernel=3); batch_norm; relu; flatten; linear(10)";
        var recipe = Runs.Plan(body, $"optimizer = {optimizer}; decay = weights", "unused").Recipe;
        using var network = new Network(Specs.Network(body, "1 x 10 x 14"));
        using var made = new RecipeOptimizer(recipe, network);
        var before = network.parameters().Select(p => p.detach().clone()).ToArray();
        foreach (var parameter in network.parameters())
            parameter.grad = zeros_like(parameter);
        made.Step(0.1);
        foreach (var (parameter, old) in network.parameters().Zip(before))
            Assert.That(parameter.eq(old).all().item<bool>(), Is.EqualTo(parameter.dim() == 1), optimizer);
    }

    [Test]
    public void The_average_follows_the_weights_by_its_formula()
    {
        using var scope = NewDisposeScope();
        using var network = new Network(Specs.Network("flatten; linear(2)", "1 x 2 x 3"));
        var weight = network.parameters().First();
        using var average = new WeightAverage(network, 0.75);
        void Set(float value)
        {
            using var quiet = no_grad();
            weight.fill_(value);
        }
        foreach (float value in new[] { 8f, 4f, 0f })
        {
            Set(value);
            average.Update();
        }
        // 8, then ¾·8 + ¼·4 = 7, then ¾·7 = 5.25.
        using (average.Lend())
            Assert.That(weight.data<float>().ToArray(), Is.All.EqualTo(5.25f));
        Assert.That(weight.data<float>().ToArray(), Is.All.Zero, "the network has its own weights back");
    }

    [Test]
    public void With_an_average_the_best_weights_are_averaged_ones_and_the_last_are_kept_both_ways()
    {
        const string recipe = "optimizer = sgd(lr=0.3); epochs = 1; batch = 16; ema = 0.9";
        var (best, _) = Runs.Train(Body, recipe, RunFolder.Best);
        var (average, _) = Runs.Train(Body, recipe, RunFolder.LastAverage);
        var (last, _) = Runs.Train(Body, recipe);
        Assert.That(Runs.Distance(best, average), Is.Zero);
        Assert.That(Runs.Distance(best, last), Is.GreaterThan(1e-3));
    }

    [Test]
    public void Class_weights_and_smoothing_give_the_loss_that_pytorch_gives()
    {
        using var scope = NewDisposeScope();
        var network = Specs
            .Compiled(
                """
                network N { input 1 x 2 x 3; flatten; linear(3) }
                train { data = folder("photos"); loss = cross_entropy(label_smoothing=0.1, class_weights=[1, 2, 0.5]) }
                """
            )
            .Networks.Single();
        var objective = new Objective(network.Program, network.Recipes.Single());
        var logits = tensor(new[] { 1f, -2, 0.5f, 0.3f, 0.1f, -1, 2, 0, 1, -1, 1, 3 }).view(4, 3);
        var labels = tensor(new long[] { 0, 2, 1, 1 });
        // torch.nn.functional.cross_entropy(logits, labels, weight=…, label_smoothing=0.1) of PyTorch 1.13.
        const double pytorch = 1.8965948820114136;
        Assert.That(
            objective.Loss([logits], new BatchTensors(logits, labels)).item<float>(),
            Is.EqualTo(pytorch).Within(1e-6)
        );
        var themselves = (labels, tensor(new[] { 0.3f, 0.6f, 0.1f, 0.9f }));
        Assert.That(
            objective.Loss([logits], new BatchTensors(logits, labels, themselves)).item<float>(),
            Is.EqualTo(pytorch).Within(1e-6),
            "mixed with themselves images count as they did"
        );
    }

    [Test]
    public void Training_stops_early_and_says_so()
    {
        var (_, told) = Runs.Train(Body, "optimizer = sgd(lr=0); epochs = 9; batch = 32; patience = 2");
        Assert.That(told.OfType<EpochEnded>().Count(), Is.EqualTo(3));
        Assert.That(told.OfType<EndedEarly>().Single().Epochs, Is.EqualTo(3));
    }

    [Test]
    public void A_plateau_lowers_the_rate_of_the_epochs_after_it()
    {
        var (_, told) = Runs.Train(
            Body,
            "optimizer = sgd(lr=1e-12); epochs = 5; batch = 32; schedule = plateau(factor=0.5, patience=1)"
        );
        double[] rates = [.. told.OfType<EpochEnded>().Select(e => e.Metrics.LearningRate / 1e-12)];
        Assert.That(rates, Is.EqualTo(new[] { 1, 1, 1, 0.5, 0.5 }).Within(1e-9));
    }

    [Test]
    public void Resized_and_padded_images_reach_the_network_in_its_own_size()
    {
        var (_, told) = Runs.Train(
            Body,
            "augment = [resize([12, 18]), crop(padding=0), pad(2, mode=reflect), resized_crop]; epochs = 1; batch = 32"
        );
        Assert.That(told.OfType<EpochEnded>().Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_lone_last_image_does_not_spoil_running_statistics()
    {
        // 128 images: two batches of 127 and 1.
        var (weights, told) = Runs.Train("flatten; linear(8); batch_norm; linear(10)", "epochs = 2; batch = 127");
        Assert.That(weights["2.running_var"], Is.All.Matches<float>(float.IsFinite));
        Assert.That(told.OfType<RunPrepared>().Single().Notes, Has.Some.Contains("left out"));
        Assert.That(told.OfType<RunPrepared>().Single().StepsPerEpoch, Is.EqualTo(1));
    }

    [Test]
    public void A_validation_loss_that_is_no_number_is_survived()
    {
        var rule = (Schedule.Plateau)Schedule.NewPlateau(0.5, 1, 0.01, 1, 0.1);
        var wait = new PlateauWait().After(rule, double.NaN).After(rule, double.PositiveInfinity);
        Assert.That(wait.Lowest, Is.Null);
        Assert.That(wait.Factor, Is.EqualTo(0.5));
    }
}
