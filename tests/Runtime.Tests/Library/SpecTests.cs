namespace CnnSpec.Runtime.Tests.Library;

/// <summary>A spec in a program's hands.</summary>
public class SpecTests
{
    private const string Text = """
        network N(classes = 10, act = relu) {
          input 3 x 20 x 28
          conv(8, kernel=3); act; max_pool(2); flatten; linear(classes)
        }
        """;

    [Test]
    public void It_says_what_the_network_is_and_costs()
    {
        var network = Spec.Parse(Text).Network();
        Assert.That(network.Name, Is.EqualTo("N"));
        Assert.That(network.Input, Is.EqualTo(new long[] { 3, 20, 28 }));
        Assert.That(network.Output, Is.EqualTo(new long[] { 10 }));
        Assert.That(network.Parameters, Is.EqualTo(8 * 27 + 8 + 8 * 9 * 13 * 10 + 10));
        Assert.That(
            network.Layers.Select(layer => layer.Operator),
            Is.EqualTo(new[] { "input", "conv", "relu", "max_pool", "flatten", "linear" })
        );
        Assert.That(network.Summary(), Does.EndWith("N: 3x20x28 -> 10, 9,594 parameters, 110,448 MACs"));
    }

    [Test]
    public void Parameters_and_input_are_set_as_on_the_command_line()
    {
        var options = new SpecOptions
        {
            Set = new Dictionary<string, object> { ["classes"] = 7, ["act"] = "leaky_relu(0.1)" },
            Input = [1, 28, 28],
        };
        var network = Spec.Parse(Text, options).Network();
        Assert.That(network.Input, Is.EqualTo(new long[] { 1, 28, 28 }));
        Assert.That(network.Output, Is.EqualTo(new long[] { 7 }));
        Assert.That(network.Layers[2].Operator, Is.EqualTo("leaky_relu"));
    }

    [Test]
    public void What_is_wrong_is_data_until_a_network_is_asked_for()
    {
        var spec = Spec.Parse("network N {\n  input 3 x 20 x 28\n  conv(8, kernel=30)\n}\n", name: "nets/n.cnn");
        Assert.That(spec.HasErrors);
        var only = spec.Diagnostics.Single();
        Assert.That((only.Code, only.Severity), Is.EqualTo(("E0303", SpecSeverity.Error)));
        Assert.That(only.Place.ToString(), Is.EqualTo("nets/n.cnn:3:3"));
        Assert.That(only.Place.EndColumn, Is.EqualTo(21));
        Assert.That(only.ToString(), Does.Contain("conv(8, kernel=30)").And.Contain("help:"));
        var error = Assert.Throws<SpecException>(() => spec.Network());
        Assert.That(error!.Diagnostics, Is.EqualTo(spec.Diagnostics));
        Assert.That(error.Message, Does.Contain("E0303"));
    }

    [Test]
    public void Imports_come_from_beside_the_file_or_from_the_program()
    {
        using var folder = new CnnSpec.Runtime.Tests.Data.TestFolder();
        folder.Write("parts/block.cnn", "block B() { relu }"u8.ToArray());
        string main = folder.Write("main.cnn", "import \"parts/block.cnn\"\nnetwork N { input 8; B() }"u8.ToArray());
        Assert.That(Spec.Load(main).HasErrors, Is.False);

        string text = File.ReadAllText(main);
        var given = new SpecOptions
        {
            Import = path => path == "parts/block.cnn" ? "block B() { tanh }"u8.ToArray() : null,
        };
        Assert.That(Spec.Parse(text, given).Network().Layers[1].Operator, Is.EqualTo("tanh"));
        var missing = Spec.Parse(text, new SpecOptions { Import = _ => null });
        Assert.That(missing.Diagnostics.Select(one => one.Code), Is.EqualTo(new[] { "E0208" }));
    }
}
