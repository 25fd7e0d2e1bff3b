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

    static let words body =
        kernels body
        |> List.map (fun kernel ->
            match kernel with
            | Normalise(_, sum, relu) -> "norm" + (if sum then "+add" else "") + (if relu then "+relu" else "")
            | MaxPoolRelu _ -> "pool+relu"
            | Single op -> (string op).Split([| ' '; '\n' |])[0])

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

    [<TestCaseSource(nameof PassesTests.Specs)>]
    member _.``every weight stays, every value is there before it is read``(file: string) =
        for network in (compileFile file).Networks do
            let program = network.Program
            let stages = Passes.all program

            let weights =
                program.Nodes |> List.collect _.Weights |> List.map _.Name |> List.sort

            Assert.That(
                stages |> List.collect _.Weights |> List.map _.Name |> List.sort,
                Is.EqualTo<string list> weights
            )

            let known = System.Collections.Generic.HashSet [ 0 ]

            for stage in stages do
                Assert.That(stage.Inputs |> List.forall known.Contains, stage.Path)
                Assert.That(known.Add stage.Output, stage.Path)

            Assert.That(program.Output :: (program.AuxiliaryHeads |> List.map _.Node) |> List.forall known.Contains)
