namespace CnnSpec.Spec.Tests.Ir

open NUnit.Framework
open CnnSpec.Ir
open CnnSpec.Ir.Figure
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling

/// What a reader of the drawing would be told wrongly.
[<TestFixture>]
type FigureTests() =

    static let drawn opened text =
        Figure.draw opened (List.exactlyOne (compile text).Networks).Program

    static let told (drawing: Drawing) =
        drawing.Boxes
        |> List.map (fun box ->
            let lines = box.Lines |> List.map _.Text |> String.concat " | "
            if box.Repeats = 1 then lines else $"{lines} ×{box.Repeats}")

    static let residual =
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

    [<Test>]
    member _.``blocks fold into one box, equal ones in a row into one with a count, and each kind is opened once``() =
        let figure = drawn 0 residual

        Assert.That(
            told figure.Network,
            Is.EqualTo<string list>
                [
                    "input"
                    "3×3 conv, 8 | batch norm, relu"
                    "Residue ×3"
                    "1×1 conv, 16"
                    "Residue"
                    "global average pool | flatten"
                    "linear, 10"
                ]
        )

        let block = List.exactlyOne figure.Blocks
        Assert.That(block.Title, Is.EqualTo "Residue")

        Assert.That(
            told block,
            Is.EqualTo<string list> [ "input"; "3×1 conv, 8/16 | relu"; "1×1 conv, 8/16"; "add | relu" ]
        )

        // The identity is an arrow from the input.
        Assert.That(block.Boxes[3].Inputs, Is.EqualTo<int list> [ 2; 0 ])

    [<Test>]
    member _.``shapes stand where a box ends``() =
        let boxes = (drawn 0 residual).Network.Boxes
        Assert.That(boxes[2].Output, Is.EqualTo(Some [ 8L; 20L; 28L ]))
        Assert.That((List.last boxes).Output, Is.EqualTo(Some [ 10L ]))

    [<Test>]
    member _.``opened blocks show all their layers, each within its call``() =
        let figure = drawn 1 residual
        Assert.That(figure.Blocks, Is.Empty)
        let inside = figure.Network.Boxes |> List.filter (fun box -> not box.Within.IsEmpty)

        Assert.That(
            inside |> List.countBy (fun box -> snd box.Within.Head),
            Is.EqualTo<(string * int) list> [ "Residue", 12 ]
        )

    [<Test>]
    member _.``calls of one block with other layers are kinds of their own``() =
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

        Assert.That(figure.Blocks |> List.map _.Title, Is.EqualTo<string list> [ "Down a"; "Down b" ])
        Assert.That(told figure.Network, Is.EqualTo<string list> [ "input"; "Down a"; "Down b" ])

    [<Test>]
    member _.``where a network normalises first, the convolution's box begins with it``() =
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

        Assert.That(
            told figure.Network,
            Is.EqualTo<string list>
                [ "input"; "3×3 conv, 8"; "2×2 max pool, stride 2"; "batch norm, relu | 3×3 conv, 8 ×2" ]
        )

    [<TestCaseSource(typeof<ReferenceTests>, "Specs")>]
    member _.``every layer of every spec is in some box, and arrows go forward``(file: string) =
        for network in (compileFile file).Networks do
            for opened in [ 0; 100 ] do
                let figure = Figure.draw opened network.Program
                Assert.That(Dot.write figure, Does.StartWith "digraph")

                for drawing in figure.Network :: figure.Blocks do
                    drawing.Boxes
                    |> List.iteri (fun position box ->
                        Assert.That(box.Inputs, Is.All.LessThan position)
                        Assert.That(box.Inputs.IsEmpty, Is.EqualTo((position = 0))))

                if opened = 100 then
                    Assert.That(figure.Blocks, Is.Empty)
