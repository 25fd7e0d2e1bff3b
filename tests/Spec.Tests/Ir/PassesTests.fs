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
        | Join(within, before, after) ->
            match within with
            | Some index -> $"join within {index}"
            | None -> $"join {before} before, {after} after"
        | Heads convolutions -> $"{convolutions.Length} heads"
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
        Assert.That(words body, Is.EqualTo<string list> [ "Conv"; "norm+add+relu" ])

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
        Assert.That(evaluatedWords body, Is.EqualTo<string list> [ "conv+norm+add+relu" ])

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

    [<Test>]
    member _.``an identity is not carried out``() =
        let body =
            "add { identity; { identity; conv(16, kernel=1) }; identity as x }; identity"

        Assert.That(words body, Is.EqualTo<string list> [ "Conv"; "Add"; "Identity" ])
        let sum = stages body |> List.find (fun stage -> stage.Kernel = Single Add)
        Assert.That(sum.Inputs, Has.Length.EqualTo 3)
        Assert.That(sum.Inputs |> List.distinct, Has.Length.EqualTo 2)

    [<Test>]
    member _.``concatenations that grow share the first one's memory``() =
        let layer = "{ batch_norm; relu; conv(5, kernel=3, padding=1) }"

        let joins body =
            words body |> List.filter (fun w -> w.StartsWith "join" || w = "Concat")

        let grown = [ "join 10 before, 0 after"; "join within 1"; "join within 1" ]
        let body = $"repeat 3 {{ concat {{ {layer}; identity }} }}; batch_norm; relu"
        Assert.That(joins body, Is.EqualTo<string list> grown)
        Assert.That(evaluatedWords body |> List.filter (fun w -> w.StartsWith "join"), Is.EqualTo<string list> grown)

        let body =
            $"concat {{ identity; {layer} }}; concat {{ {layer}; identity; conv(4, kernel=1) as c }}"

        Assert.That(joins body, Is.EqualTo<string list> [ "Concat"; "Concat" ], "a convolution reads the first")

        let body =
            $"concat {{ identity; {layer} }}; concat {{ {layer}; identity; {layer} }}"

        Assert.That(joins body, Is.EqualTo<string list> [ "join 5 before, 5 after"; "join within 1" ])

    [<Test>]
    member _.``what two concatenations read has one memory alone``() =
        let body = "concat { conv(3, kernel=1); identity } as x; concat { x; x }"
        Assert.That(words body, Has.None.StartsWith "join", "read twice by one")

        let body =
            "concat { conv(3, kernel=1); identity } as x; batch_norm as y; concat { x; y } as z; from x; concat { x; y }; add { identity; z }"

        Assert.That(words body, Has.None.StartsWith "join", "read by two")

    [<Test>]
    member _.``max pooling comes first``() =
        let pool = "{ max_pool(3, stride=1, padding=1); conv(4, kernel=1) }"
        let body = $"conv(8, kernel=1); concat {{ conv(5, kernel=3, padding=1); {pool} }}"
        Assert.That(words body, Is.EqualTo<string list> [ "Conv"; "MaxPool"; "Conv"; "Conv"; "Concat" ])
        Assert.That(words "conv(8, kernel=1); max_pool(2)", Is.EqualTo<string list> [ "Conv"; "MaxPool" ], "alone")

    [<Test>]
    member _.``convolutions of one input by single pixels are one``() =
        let branch channels =
            $"{{ conv({channels}, kernel=1); batch_norm; relu }}"

        let body = $"concat {{ {branch 4}; {branch 7}; {branch 5} }}"
        let all = stages body
        let norm = "norm+relu"
        Assert.That(String.concat ", " (words body), Is.EqualTo $"3 heads, {norm}, {norm}, {norm}, Concat")
        let parts = all |> List.choose _.Part
        Assert.That(parts, Is.EqualTo<(int64 * int64) list> [ 0L, 4L; 4L, 7L; 11L, 5L ])
        let whole = all.Head.Output
        Assert.That(all |> List.filter _.Part.IsSome |> List.forall (fun stage -> stage.Inputs = [ whole ]))

    [<TestCase("{ conv(4, kernel=3, padding=1); batch_norm }", Description = "windows of several pixels")>]
    [<TestCase("{ conv(4, kernel=1, stride=2); batch_norm; upsample(2) }", Description = "another stride")>]
    [<TestCase("{ conv(4, kernel=1, groups=2); batch_norm }", Description = "groups")>]
    [<TestCase("{ conv(4, kernel=1, bias=false); batch_norm }", Description = "no bias")>]
    [<TestCase("{ conv(4, kernel=1); silu }", Description = "read by something else")>]
    [<TestCase("{ relu; conv(4, kernel=1); batch_norm }", Description = "of another tensor")>]
    member _.``other convolutions stay by themselves``(branch: string) =
        let body = $"concat {{ {{ conv(6, kernel=1); batch_norm }}; {branch} }}"
        Assert.That(words body |> List.filter ((=) "Conv"), Has.Length.EqualTo 2)

    [<Test>]
    member _.``on a GPU convolutions of one input stay by themselves``() =
        let body =
            "concat { { conv(6, kernel=1); batch_norm; relu }; { conv(4, kernel=1); batch_norm; relu } }"

        let onGpu =
            Passes.onGpu (program (inNetwork "16 x 20 x 28" body)) |> List.map (_.Kernel >> word)

        Assert.That(words body |> List.head, Is.EqualTo "2 heads")

        Assert.That(
            onGpu |> List.filter (fun one -> one = "Conv" || one = "norm+relu"),
            Is.EqualTo<string list> [ "Conv"; "norm+relu"; "Conv"; "norm+relu" ]
        )

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

            let outputs = program.Output :: (program.AuxiliaryHeads |> List.map _.Node)
            expect stages program.Nodes outputs
            expect (Passes.onGpu program) program.Nodes outputs

            let evaluated = program.Nodes |> List.filter (fun node -> not node.TrainingOnly)
            expect (Passes.forEvaluation program) evaluated [ program.Output ]
