namespace CnnSpec.Spec.Tests.Ir

open NUnit.Framework
open CnnSpec.Operators
open CnnSpec.Ir
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling

/// A pass that loses a weight or runs a stage too early trains another network than the spec says.
[<TestFixture>]
type PassesTests() =

    static let stages body =
        Passes.all (program (inNetwork "16 x 20 x 28" body))

    static let kernels body = stages body |> List.map _.Kernel

    static let word kernel =
        let rest sum relu =
            (if sum then "+add" else "") + (if relu then "+relu" else "")

        match kernel with
        | Normalise(_, sum, relu) -> "norm" + rest sum relu
        | MaxPoolRelu _ -> "pool+relu"
        | Convolve(_, norm, sum, relu) -> "conv" + (if norm.IsSome then "+norm" else "") + rest sum relu
        | Single op -> (string op).Split([| ' '; '\n' |])[0]

    static let words body = kernels body |> List.map word

    static let evaluated body =
        Passes.forEvaluation (program (inNetwork "16 x 20 x 28" body))

    static let evaluatedWords body =
        evaluated body |> List.map (_.Kernel >> word)

    static member Specs =
        System.IO.Directory.GetFiles(Repository.path "specs", "*.cnn", System.IO.SearchOption.AllDirectories)
        |> Array.filter (fun file -> not (file.Contains "mistakes"))
        |> Array.map (fun file -> System.IO.Path.GetRelativePath(Repository.path ".", file))

    [<Test>]
    member _.``normalisation takes the activation with it``() =
        Assert.That(words "conv(8, kernel=3); batch_norm; relu", Is.EqualTo<string list> [ "Conv"; "norm+relu" ])

    [<Test>]
    member _.``normalisation takes the sum and the activation with it``() =
        let body = "add { { conv(16, kernel=1); batch_norm }; identity }; relu"
        Assert.That(words body, Is.EqualTo<string list> [ "Conv"; "Identity"; "norm+add+relu" ])

    [<Test>]
    member _.``of two normalised branches one takes the sum``() =
        let body =
            "add { { conv(16, kernel=1); batch_norm }; { conv(16, kernel=1); batch_norm } }; relu"

        Assert.That(words body |> List.filter (fun w -> w.StartsWith "norm"), Has.Length.EqualTo 1)
        Assert.That(words body |> List.filter (fun w -> w.StartsWith "BatchNorm"), Has.Length.EqualTo 1)

    [<Test>]
    member _.``pooling takes the activation before it``() =
        Assert.That(words "conv(4, kernel=1); relu; max_pool(2)", Is.EqualTo<string list> [ "Conv"; "pool+relu" ])
        Assert.That(words "conv(4, kernel=1); relu; avg_pool(2)", Has.Length.EqualTo 3)
        Assert.That(words "batch_norm; relu; max_pool(2)", Is.EqualTo<string list> [ "norm+relu"; "MaxPool" ])

    [<Test>]
    member _.``what is read twice is written``() =
        let body = "batch_norm as b; relu; add { identity; b }"
        Assert.That(words body, Has.Member "BatchNorm")

    [<Test>]
    member _.``other activations stay by themselves``() =
        Assert.That(words "batch_norm; silu", Is.EqualTo<string list> [ "BatchNorm"; "Activate" ])

    [<Test>]
    member _.``in evaluation a convolution takes all that follows it``() =
        Assert.That(
            evaluatedWords "conv(8, kernel=3); batch_norm; relu; conv(8, kernel=3); batch_norm; conv(4, kernel=1); relu",
            Is.EqualTo<string list> [ "conv+norm+relu"; "conv+norm"; "conv+relu" ]
        )

        let body = "add { { conv(16, kernel=1); batch_norm }; identity }; relu"
        Assert.That(evaluatedWords body, Is.EqualTo<string list> [ "Identity"; "conv+norm+add+relu" ])

    [<Test>]
    member _.``in evaluation a normalisation that is the other half of a sum stays``() =
        let body = "add { { batch_norm }; { conv(16, kernel=1) } }; relu"
        Assert.That(evaluatedWords body, Is.EqualTo<string list> [ "Conv"; "norm+add+relu" ])

    [<Test>]
    member _.``a convolution that is read beside its normalisation stays``() =
        let body = "conv(16, kernel=1) as c; batch_norm; relu; add { identity; c }"
        Assert.That(evaluatedWords body, Has.Member "Conv")

    [<Test>]
    member _.``auxiliary heads are not evaluated, and what they read is joined``() =
        let body =
            "conv(4, kernel=3); batch_norm; aux(weight=0.4) { relu; global_avg_pool; flatten; linear(5) }; relu; flatten; linear(5)"

        Assert.That(evaluatedWords body, Is.EqualTo<string list> [ "conv+norm+relu"; "Flatten"; "Linear" ])

    [<TestCaseSource(nameof PassesTests.Specs)>]
    member _.``every weight stays, every value is there before it is read``(file: string) =
        for network in (compileFile file).Networks do
            let program = network.Program
            let stages = Passes.all program

            let expect (stages: Stage list) nodes values =
                let weights = nodes |> List.collect _.Weights |> List.map _.Name |> List.sort

                Assert.That(
                    stages |> List.collect _.Weights |> List.map _.Name |> List.sort,
                    Is.EqualTo<string list> weights
                )

                let known = System.Collections.Generic.HashSet [ 0 ]

                for stage in stages do
                    Assert.That(stage.Inputs |> List.forall known.Contains, stage.Path)
                    Assert.That(known.Add stage.Output, stage.Path)

                Assert.That(values |> List.forall known.Contains)

            expect stages program.Nodes (program.Output :: (program.AuxiliaryHeads |> List.map _.Node))

            let evaluated = program.Nodes |> List.filter (fun node -> not node.TrainingOnly)
            expect (Passes.forEvaluation program) evaluated [ program.Output ]
