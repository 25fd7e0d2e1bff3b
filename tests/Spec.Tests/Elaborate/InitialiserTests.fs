namespace CnnSpec.Spec.Tests.Elaborate

open NUnit.Framework
open CnnSpec.Operators
open CnnSpec.Spec.Tests.Compiling

/// Which weights an initialisation rule reaches. Paper recipes depend on it, and nothing crashes where it is wrong.
[<TestFixture>]
type InitialiserTests() =

    let body rules =
        inNetwork
            "3 x 8 x 8"
            $"stem: {{ conv(4, kernel=3); batch_norm }}\nhead: conv(4, kernel=1)\nflatten; fc: linear(10)\ninit {{ {rules} }}"

    let reached rules =
        (program (body rules)).Nodes
        |> List.collect _.Weights
        |> List.filter (fun w -> w.Initialiser = Constant 7.0)
        |> List.map _.Name

    let reaches rules (expected: string list) =
        Assert.That(reached rules, Is.EqualTo<string list> expected)

    [<Test>]
    member _.``weight is for filters, not for the factors of normalisation``() =
        reaches "weight = 7" [ "stem.0.weight"; "head.weight"; "fc.weight" ]

    [<Test>]
    member _.``bias is for every bias``() =
        reaches "bias = 7" [ "stem.0.bias"; "stem.1.bias"; "head.bias"; "fc.bias" ]

    [<Test>]
    member _.``an operator's name is for its filters, with .bias for its biases``() =
        reaches "conv = 7" [ "stem.0.weight"; "head.weight" ]
        reaches "conv.bias = 7" [ "stem.0.bias"; "head.bias" ]
        reaches "batch_norm = 7" [ "stem.1.weight" ]

    [<Test>]
    member _.``a path is for one layer``() =
        reaches "head = 7" [ "head.weight" ]
        reaches "fc.bias = 7" [ "fc.bias" ]

    [<Test>]
    member _.``the last rule wins``() =
        reaches "weight = 7; linear = 0" [ "stem.0.weight"; "head.weight" ]
        reaches "linear = 0; weight = 7" [ "stem.0.weight"; "head.weight"; "fc.weight" ]

    [<Test>]
    member _.``running statistics are never initialised by a rule``() =
        Assert.That(reached "weight = 7; bias = 7", Has.None.Contains "running")

    [<Test>]
    member _.``without rules PyTorch's defaults hold``() =
        let weights =
            (program (inNetwork "3 x 8 x 8" "conv(4, kernel=3); batch_norm")).Nodes |> List.collect _.Weights

        Assert.That(
            weights |> List.map _.Initialiser,
            Is.EqualTo<Initialiser list>
                [
                    KaimingUniform(false, sqrt 5.0)
                    UniformByFanIn
                    Constant 1.0
                    Constant 0.0
                    Constant 0.0
                    Constant 1.0
                    Constant 0.0
                ]
        )
