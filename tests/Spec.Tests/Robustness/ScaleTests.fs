/// Deep networks compile in the time that their layers take, not its square.
module CnnSpec.Spec.Tests.Robustness.ScaleTests

open CnnSpec.Spec.Tests.Robustness.Limits
open CnnSpec.Spec.Tests.Compiling
open Expecto

/// A residual network of that many layers: seven in a block.
let private deep layers =
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

let private seconds layers =
    let text = deep layers

    Seq.init 3 (fun _ ->
        let program, seconds = timed (fun () -> program text)
        Expect.isGreaterThan program.Nodes.Length (layers * 9 / 10) "layers"
        seconds)
    |> Seq.min

[<Tests>]
let tests =
    // What a test takes is measured for the whole process.
    testSequenced
    <| testList
        "scale"
        [
            testCase "a thousand layers in half a second"
            <| fun () ->
                seconds 1_000 |> ignore
                let taken = seconds 1_000
                printfn $"1,000 layers: %.3f{taken} s"
                Expect.isLessThan taken 0.5 "seconds"

            testCase "ten times the layers take about ten times as long"
            <| fun () ->
                let small = seconds 4_000
                let large = seconds 40_000
                printfn $"4,000 layers: %.3f{small} s, 40,000 layers: %.3f{large} s"
                Expect.isLessThan (large / small) 60.0 "times as long, where its square is a hundred times"
        ]
