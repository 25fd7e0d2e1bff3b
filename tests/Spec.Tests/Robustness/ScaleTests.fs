namespace CnnSpec.Spec.Tests.Robustness

open System.Diagnostics
open NUnit.Framework
open CnnSpec.Spec.Tests.Compiling

/// Deep networks compile in the time that their layers take, not its square.
[<TestFixture>]
type ScaleTests() =

    /// A residual network of that many layers: seven in a block.
    let deep layers =
        $"""
network Deep {{
  input 3 x 32 x 32
  conv(16, kernel=3, padding=1)
  repeat {layers / 7} {{ Block() }}
  global_avg_pool; flatten; linear(10)
  init {{ conv = kaiming_normal(); batch_norm = ones() }}
}}
block Block() {{
  add {{
    {{ conv(16, kernel=3, padding=1); batch_norm; relu; conv(16, kernel=3, padding=1); batch_norm }}
    identity
  }}
  relu
}}
"""

    let seconds layers =
        let text = deep layers

        Seq.init 3 (fun _ ->
            let clock = Stopwatch.StartNew()
            let program = program text
            Assert.That(program.Nodes.Length, Is.GreaterThan(layers * 9 / 10))
            clock.Elapsed.TotalSeconds)
        |> Seq.min

    [<Test>]
    member _.``a thousand layers in half a second``() =
        seconds 1_000 |> ignore
        let taken = seconds 1_000
        TestContext.Out.WriteLine $"1,000 layers: %.3f{taken} s"
        Assert.That(taken, Is.LessThan 0.5)

    [<Test>]
    member _.``ten times the layers take about ten times as long``() =
        let small = seconds 4_000
        let large = seconds 40_000
        TestContext.Out.WriteLine $"4,000 layers: %.3f{small} s, 40,000 layers: %.3f{large} s"
        Assert.That(large / small, Is.LessThan 30.0)
