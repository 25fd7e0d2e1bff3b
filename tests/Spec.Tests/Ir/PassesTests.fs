/// A pass that loses a weight or runs a stage too early trains another network than the spec says.
module CnnSpec.Spec.Tests.Ir.PassesTests

open CnnSpec.Operators
open CnnSpec.Ir
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private stages body =
    Passes.all (program (inNetwork "16 x 20 x 28" body))

let private kernels body = stages body |> List.map _.Kernel

let private word kernel =
    let rest sum relu =
        (if sum then "+add" else "") + (if relu then "+relu" else "")

    match kernel with
    | Normalise(_, sum, relu) -> "norm" + rest sum relu
    | MaxPoolRelu _ -> "pool+relu"
    | Join(within, before, after) ->
        match within with
        | Some index -> $"join within {index}"
        | None -> $"join {before} before, {after} after"
    | MergedConv convolutions -> $"merged conv of {convolutions.Length}"
    | Convolve(_, norm, sum, relu) -> "conv" + (if norm.IsSome then "+norm" else "") + rest sum relu
    | Single op -> (string op).Split([| ' '; '\n' |])[0]

let private words body = kernels body |> List.map word

let private evaluated body =
    Passes.forEvaluation (program (inNetwork "16 x 20 x 28" body))

let private evaluatedWords body =
    evaluated body |> List.map (_.Kernel >> word)

let private joins body =
    words body |> List.filter (fun w -> w.StartsWith "join" || w = "Concat")

[<Tests>]
let tests =
    testList
        "passes"
        [
            testCase "normalisation takes the activation with it"
            <| fun () -> Expect.equal (words "conv(8, kernel=3); batch_norm; relu") [ "Conv"; "norm+relu" ] "the stages"

            testCase "normalisation takes the sum and the activation with it"
            <| fun () ->
                let body = "add { { conv(16, kernel=1); batch_norm }; identity }; relu"
                Expect.equal (words body) [ "Conv"; "norm+add+relu" ] "the stages"

            testCase "of two normalised branches one takes the sum"
            <| fun () ->
                let body =
                    "add { { conv(16, kernel=1); batch_norm }; { conv(16, kernel=1); batch_norm } }; relu"

                Expect.hasLength (words body |> List.filter (fun w -> w.StartsWith "norm")) 1 "the stages"
                Expect.hasLength (words body |> List.filter (fun w -> w.StartsWith "BatchNorm")) 1 "the stages"

            testCase "pooling takes the activation before it"
            <| fun () ->
                Expect.equal (words "conv(4, kernel=1); relu; max_pool(2)") [ "Conv"; "pool+relu" ] "the stages"
                Expect.hasLength (words "conv(4, kernel=1); relu; avg_pool(2)") 3 "the stages"
                Expect.equal (words "batch_norm; relu; max_pool(2)") [ "norm+relu"; "MaxPool" ] "the stages"

            testCase "what is read twice is written"
            <| fun () ->
                let body = "batch_norm as b; relu; add { identity; b }"
                Expect.contains (words body) "BatchNorm" "the stages"

            testCase "other activations stay by themselves"
            <| fun () -> Expect.equal (words "batch_norm; silu") [ "BatchNorm"; "Activate" ] "the stages"

            testCase "in evaluation a convolution takes all that follows it"
            <| fun () ->
                Expect.equal
                    (evaluatedWords
                        "conv(8, kernel=3); batch_norm; relu; conv(8, kernel=3); batch_norm; conv(4, kernel=1); relu")
                    [ "conv+norm+relu"; "conv+norm"; "conv+relu" ]
                    "the stages of evaluation"

                let body = "add { { conv(16, kernel=1); batch_norm }; identity }; relu"
                Expect.equal (evaluatedWords body) [ "conv+norm+add+relu" ] "the stages of evaluation"

            testCase "in evaluation a normalisation that is the other half of a sum stays"
            <| fun () ->
                let body = "add { { batch_norm }; { conv(16, kernel=1) } }; relu"
                Expect.equal (evaluatedWords body) [ "Conv"; "norm+add+relu" ] "the stages of evaluation"

            testCase "a convolution that is read beside its normalisation stays"
            <| fun () ->
                let body = "conv(16, kernel=1) as c; batch_norm; relu; add { identity; c }"
                Expect.contains (evaluatedWords body) "Conv" "the stages of evaluation"

            testCase "auxiliary heads are not evaluated, and what they read is joined"
            <| fun () ->
                let body =
                    "conv(4, kernel=3); batch_norm; aux(weight=0.4) { relu; global_avg_pool; flatten; linear(5) }; relu; flatten; linear(5)"

                Expect.equal (evaluatedWords body) [ "conv+norm+relu"; "Flatten"; "Linear" ] "the stages of evaluation"

            testCase "an identity is not carried out"
            <| fun () ->
                let body =
                    "add { identity; { identity; conv(16, kernel=1) }; identity as x }; identity"

                Expect.equal (words body) [ "Conv"; "Add"; "Identity" ] "the stages"
                let sum = stages body |> List.find (fun stage -> stage.Kernel = Single Add)
                Expect.hasLength sum.Inputs 3 "what is added"
                Expect.hasLength (sum.Inputs |> List.distinct) 2 "different tensors"

            testCase "concatenations that grow share the first one's memory"
            <| fun () ->
                let layer = "{ batch_norm; relu; conv(5, kernel=3, padding=1) }"

                let grown = [ "join 10 before, 0 after"; "join within 1"; "join within 1" ]
                let body = $"repeat 3 {{ concat {{ {layer}; identity }} }}; batch_norm; relu"
                Expect.equal (joins body) grown "the stages"

                Expect.equal
                    (evaluatedWords body |> List.filter (fun w -> w.StartsWith "join"))
                    grown
                    "the stages of evaluation"

                let body =
                    $"concat {{ identity; {layer} }}; concat {{ {layer}; identity; conv(4, kernel=1) as c }}"

                Expect.equal (joins body) [ "Concat"; "Concat" ] "a convolution reads the first"

                let body =
                    $"concat {{ identity; {layer} }}; concat {{ {layer}; identity; {layer} }}"

                Expect.equal (joins body) [ "join 5 before, 5 after"; "join within 1" ] "the stages"

            testCase "what two concatenations read has one memory alone"
            <| fun () ->
                let body = "concat { conv(3, kernel=1); identity } as x; concat { x; x }"
                Expect.isFalse (joins body |> List.exists _.StartsWith("join")) "read twice by one"

                let body =
                    "concat { conv(3, kernel=1); identity } as x; batch_norm as y; concat { x; y } as z; from x; concat { x; y }; add { identity; z }"

                Expect.isFalse (joins body |> List.exists _.StartsWith("join")) "read by two"

            testCase "max pooling comes first"
            <| fun () ->
                let pool = "{ max_pool(3, stride=1, padding=1); conv(4, kernel=1) }"
                let body = $"conv(8, kernel=1); concat {{ conv(5, kernel=3, padding=1); {pool} }}"
                Expect.equal (words body) [ "Conv"; "MaxPool"; "Conv"; "Conv"; "Concat" ] "the stages"
                Expect.equal (words "conv(8, kernel=1); max_pool(2)") [ "Conv"; "MaxPool" ] "alone"

            testCase "1×1 convolutions of one input are merged"
            <| fun () ->
                let branch channels =
                    $"{{ conv({channels}, kernel=1); batch_norm; relu }}"

                let body = $"concat {{ {branch 4}; {branch 7}; {branch 5} }}"
                let all = stages body
                let norm = "norm+relu"

                Expect.equal
                    (String.concat ", " (words body))
                    $"merged conv of 3, {norm}, {norm}, {norm}, Concat"
                    "the stages"

                let parts =
                    all |> List.choose _.Channels |> List.map (fun range -> range.First, range.Count)

                Expect.equal parts [ 0L, 4L; 4L, 7L; 11L, 5L ] "the ranges of channels"
                let whole = all.Head.Output

                Expect.isTrue
                    (all |> List.filter _.Channels.IsSome |> List.forall (fun stage -> stage.Inputs = [ whole ]))
                    "the stages"

            cases
                "other convolutions stay by themselves"
                [
                    "{ conv(4, kernel=3, padding=1); batch_norm }"
                    "{ conv(4, kernel=1, stride=2); batch_norm; upsample(2) }"
                    "{ conv(4, kernel=1, groups=2); batch_norm }"
                    "{ conv(4, kernel=1, bias=false); batch_norm }"
                    "{ conv(4, kernel=1); silu }"
                    "{ relu; conv(4, kernel=1); batch_norm }"
                ]
            <| fun (branch: string) ->
                let body = $"concat {{ {{ conv(6, kernel=1); batch_norm }}; {branch} }}"
                Expect.hasLength (words body |> List.filter ((=) "Conv")) 2 "the stages"

            testCase "on a GPU convolutions of one input stay by themselves"
            <| fun () ->
                let body =
                    "concat { { conv(6, kernel=1); batch_norm; relu }; { conv(4, kernel=1); batch_norm; relu } }"

                let onGpu =
                    Passes.onGpu (program (inNetwork "16 x 20 x 28" body)) |> List.map (_.Kernel >> word)

                Expect.equal (words body |> List.head) "merged conv of 2" "the stages"

                Expect.equal
                    (onGpu |> List.filter (fun one -> one = "Conv" || one = "norm+relu"))
                    [ "Conv"; "norm+relu"; "Conv"; "norm+relu" ]
                    "the stages"

            cases "every weight stays, every value is there before it is read" (Repository.networks ())
            <| fun (file: string) ->
                for network in (compileFile file).Networks do
                    let program = network.Program
                    let stages = Passes.all program

                    let expect (stages: Stage list) nodes values =
                        let weights = nodes |> List.collect _.Weights |> List.map _.Name |> List.sort

                        Expect.equal
                            (stages |> List.collect _.Weights |> List.map _.Name |> List.sort)
                            weights
                            "the names of the weights"

                        let known = System.Collections.Generic.HashSet [ 0 ]

                        for stage in stages do
                            Expect.isTrue (stage.Inputs |> List.forall known.Contains) stage.Path
                            Expect.isTrue (known.Add stage.Output) stage.Path

                        Expect.isTrue (values |> List.forall known.Contains) "every output is there"

                    let outputs = program.Output :: (program.AuxiliaryHeads |> List.map _.Node)
                    expect stages program.Nodes outputs
                    expect (Passes.onGpu program) program.Nodes outputs

                    let evaluated = program.Nodes |> List.filter (fun node -> not node.TrainingOnly)
                    expect (Passes.forEvaluation program) evaluated [ program.Output ]
        ]
