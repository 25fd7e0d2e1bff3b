/// Which weights an initialisation rule reaches. Paper recipes depend on it, and nothing crashes where it is wrong.
module CnnSpec.Spec.Tests.Elaborate.InitialiserTests

open CnnSpec.Operators
open CnnSpec.Spec.Tests.Compiling
open Expecto

let private body rules =
    inNetwork
        "3 x 8 x 8"
        $"stem: {{ conv(4, kernel=3); batch_norm }}\nhead: conv(4, kernel=1)\nflatten; fc: linear(10)\ninit {{ {rules} }}"

let private reached rules =
    (program (body rules)).Nodes
    |> List.collect _.Weights
    |> List.filter (fun w -> w.Initialiser = Constant 7.0)
    |> List.map _.Name

let private reaches rules (expected: string list) =
    Expect.equal (reached rules) expected "the weights that the rules reach"

[<Tests>]
let tests =
    testList
        "initialisation"
        [
            testCase "weight is for filters, not for the factors of normalisation"
            <| fun () -> reaches "weight = 7" [ "stem.0.weight"; "head.weight"; "fc.weight" ]

            testCase "bias is for every bias"
            <| fun () -> reaches "bias = 7" [ "stem.0.bias"; "stem.1.bias"; "head.bias"; "fc.bias" ]

            testCase "an operator's name is for its filters, with .bias for its biases"
            <| fun () ->
                reaches "conv = 7" [ "stem.0.weight"; "head.weight" ]
                reaches "conv.bias = 7" [ "stem.0.bias"; "head.bias" ]
                reaches "batch_norm = 7" [ "stem.1.weight" ]

            testCase "a path is for one layer"
            <| fun () ->
                reaches "head = 7" [ "head.weight" ]
                reaches "fc.bias = 7" [ "fc.bias" ]

            testCase "the last rule wins"
            <| fun () ->
                reaches "weight = 7; linear = 0" [ "stem.0.weight"; "head.weight" ]
                reaches "linear = 0; weight = 7" [ "stem.0.weight"; "head.weight"; "fc.weight" ]

            testCase "running statistics are never initialised by a rule"
            <| fun () ->
                Expect.isEmpty
                    (reached "weight = 7; bias = 7" |> List.filter _.Contains("running"))
                    "running statistics"

            testCase "without rules PyTorch's defaults hold"
            <| fun () ->
                let weights =
                    (program (inNetwork "3 x 8 x 8" "conv(4, kernel=3); batch_norm")).Nodes |> List.collect _.Weights

                Expect.equal
                    (weights |> List.map _.Initialiser)
                    [
                        KaimingUniform(false, sqrt 5.0)
                        UniformByFanIn
                        Constant 1.0
                        Constant 0.0
                        Constant 0.0
                        Constant 1.0
                        Constant 0.0
                    ]
                    "the initialisers"
        ]
