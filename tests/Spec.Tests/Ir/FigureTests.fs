/// What a reader of the drawing would be told wrongly.
module CnnSpec.Spec.Tests.Ir.FigureTests

open CnnSpec.Ir
open CnnSpec.Ir.Figure
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private drawn opened text =
    Figure.draw opened (List.exactlyOne (compile text).Networks).Program

let private told (drawing: Drawing) =
    drawing.Boxes
    |> List.map (fun box ->
        let lines = box.Lines |> List.map _.Text |> String.concat " | "
        if box.Repeats = 1 then lines else $"{lines} ×{box.Repeats}")

let private residual =
    """
network N {
  input 3 x 20 x 28
  conv(8, kernel=3, padding=1); batch_norm; relu
  repeat 3 { Residue(8) }
  conv(16, kernel=1)
  Residue(16)
  global_avg_pool; flatten; linear(10)
}
block Residue(out) {
  add {
    { conv(out, kernel=[3, 1], padding=[1, 0]); relu; conv(out, kernel=1) }
    identity
  }
  relu
}
"""

[<Tests>]
let tests =
    testList
        "figures"
        [
            testCase "blocks fold into one box, equal ones in a row into one with a count, and each kind is opened once"
            <| fun () ->
                let figure = drawn 0 residual

                Expect.equal
                    (told figure.Network)
                    [
                        "input"
                        "3×3 conv, 8 | batch norm, relu"
                        "Residue ×3"
                        "1×1 conv, 16"
                        "Residue"
                        "global average pool | flatten"
                        "linear, 10"
                    ]
                    "the boxes"

                let block = List.exactlyOne figure.Blocks
                Expect.equal block.Title "Residue" "the blocks' titles"

                Expect.equal
                    (told block)
                    [ "input"; "3×1 conv, 8/16 | relu"; "1×1 conv, 8/16"; "add | relu" ]
                    "the boxes"

                // The identity is an arrow from the input.
                Expect.equal (block.Boxes[3].Inputs) [ 2; 0 ] "the arrows"

            testCase "shapes stand where a box ends"
            <| fun () ->
                let boxes = (drawn 0 residual).Network.Boxes
                Expect.equal (boxes[2].Output) (Some [ 8L; 20L; 28L ]) "the box's shape"
                Expect.equal ((List.last boxes).Output) (Some [ 10L ]) "the box's shape"

            testCase "opened blocks show all their layers, each within its call"
            <| fun () ->
                let figure = drawn 1 residual
                Expect.isEmpty figure.Blocks "the blocks drawn apart"
                let inside = figure.Network.Boxes |> List.filter (fun box -> not box.Within.IsEmpty)

                Expect.equal (inside |> List.countBy (fun box -> snd box.Within.Head)) [ "Residue", 12 ] "the boxes"

            testCase "calls of one block with other layers are kinds of their own"
            <| fun () ->
                let figure =
                    drawn
                        0
                        """
network N {
  input 3 x 8 x 12
  Down(8, true); Down(8, false)
}
block Down(out, pooled) { conv(out, kernel=1); conv(out, kernel=3, padding=1); if pooled { max_pool(2) } }
"""

                Expect.equal (figure.Blocks |> List.map _.Title) [ "Down a"; "Down b" ] "the blocks' titles"
                Expect.equal (told figure.Network) [ "input"; "Down a"; "Down b" ] "the boxes"

            testCase "where a network normalises first, the convolution's box begins with it"
            <| fun () ->
                let figure =
                    drawn
                        0
                        """
network N {
  input 3 x 8 x 12
  conv(8, kernel=3, padding=1); max_pool(2)
  repeat 2 { batch_norm; relu; conv(8, kernel=3, padding=1) }
}
"""

                Expect.equal
                    (told figure.Network)
                    [ "input"; "3×3 conv, 8"; "2×2 max pool, stride 2"; "batch norm, relu | 3×3 conv, 8 ×2" ]
                    "the boxes"

            cases "every layer of every spec is in some box, and arrows go forward" (Repository.networks ())
            <| fun (file: string) ->
                for network in (compileFile file).Networks do
                    for opened in [ 0; 100 ] do
                        let figure = Figure.draw opened network.Program
                        Expect.stringStarts (Dot.write figure) "digraph" "the drawing"

                        for drawing in figure.Network :: figure.Blocks do
                            drawing.Boxes
                            |> List.iteri (fun position box ->
                                Expect.all box.Inputs (fun input -> input < position) "arrows go forward"
                                Expect.equal box.Inputs.IsEmpty ((position = 0)) "only the input has no arrow")

                        if opened = 100 then
                            Expect.isEmpty figure.Blocks "the blocks drawn apart"
        ]
