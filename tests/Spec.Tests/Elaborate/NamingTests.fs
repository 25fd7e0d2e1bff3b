/// PyTorch's weights load by name, so names must be those that its modules give.
module CnnSpec.Spec.Tests.Elaborate.NamingTests

open CnnSpec.Spec.Tests.Compiling
open Expecto

let private names body =
    weightNames (inNetwork "3 x 32 x 32" body) |> List.filter (fun name -> name.EndsWith ".weight")

let private named body (expected: string list) =
    Expect.equal (names body |> List.map (fun n -> n.Replace(".weight", ""))) expected "the names of the weights"

[<Tests>]
let tests =
    testList
        "weight names"
        [
            testCase "unlabelled layers are numbered as nn.Sequential numbers them, layers without weights included"
            <| fun () -> named "conv(8, kernel=3); relu; conv(8, kernel=3); flatten; linear(10)" [ "0"; "2"; "4" ]

            testCase "a label is the name"
            <| fun () ->
                named "conv1: conv(8, kernel=3); bn1: batch_norm; flatten; fc: linear(10)" [ "conv1"; "bn1"; "fc" ]

            testCase "a labelled layer takes no number"
            <| fun () -> named "conv(8, kernel=3); stem: relu; conv(8, kernel=3)" [ "0"; "1" ]

            testCase "a labelled group is a Sequential with its own numbers"
            <| fun () ->
                named
                    "features: { conv(8, kernel=3); relu; conv(8, kernel=3) }; flatten; classifier: { linear(4); linear(2) }"
                    [ "features.0"; "features.2"; "classifier.0"; "classifier.1" ]

            testCase "an unlabelled group, loop, condition or combinator leaves the numbers going"
            <| fun () ->
                named
                    "{ conv(8, kernel=1) }; repeat 2 { conv(8, kernel=1) }; if true { conv(8, kernel=1) }; add { conv(8, kernel=1); identity }"
                    [ "0"; "1"; "2"; "3"; "4" ]

            testCase "calls of a block in a labelled loop are layer1.0, layer1.1"
            <| fun () ->
                let names =
                    weightNames
                        """
network N {
  input 64 x 8 x 8
  layer1: repeat 2 { Block() }
}
block Block() { conv1: conv(64, kernel=3, padding=1, bias=false); bn1: batch_norm }
"""
                    |> List.filter (fun name -> name.EndsWith "weight")

                Expect.equal
                    names
                    [ "layer1.0.conv1.weight"; "layer1.0.bn1.weight"; "layer1.1.conv1.weight"; "layer1.1.bn1.weight" ]
                    "the names of the weights"

            testCase "computed labels name the turns of a loop"
            <| fun () -> named "repeat 2 as i { \"conv{i + 1}\": conv(3, kernel=1) }" [ "conv1"; "conv2" ]

            testCase "a labelled block in a branch is named by its label alone"
            <| fun () ->
                named
                    "concat { branch1: conv(4, kernel=1); { branch2a: conv(4, kernel=1); branch2b: conv(4, kernel=1) } }"
                    [ "branch1"; "branch2a"; "branch2b" ]

            testCase "batch normalisation owns the five tensors that PyTorch saves"
            <| fun () ->
                Expect.equal
                    (weightNames (inNetwork "3 x 8 x 8" "bn: batch_norm"))
                    [ "bn.weight"; "bn.bias"; "bn.running_mean"; "bn.running_var"; "bn.num_batches_tracked" ]
                    "the names of the weights"

            testCase "no two weights share a name in any spec"
            <| fun () ->
                for file in CnnSpec.Spec.Tests.Repository.specs "specs" do
                    for network in (compileFile file).Networks do
                        let names =
                            network.Program.Nodes |> List.collect (fun n -> n.Weights |> List.map _.Name)

                        Expect.equal (List.distinct names) names file

            testCase "a number that a label took is refused, not shared"
            <| fun () ->
                refused
                    [ "E0209" ]
                    (inNetwork "3 x 8 x 8" "\"1\": conv(3, kernel=1); conv(3, kernel=1); conv(3, kernel=1)")

            testCase "two layers of one name are refused"
            <| fun () -> refused [ "E0209" ] (inNetwork "3 x 8 x 8" "a: conv(3, kernel=1)\na: conv(3, kernel=1)")

            testCase "a tensor and a layer may share a name"
            <| fun () -> named "stem: conv(3, kernel=1) as stem; from stem" [ "stem" ]
        ]
