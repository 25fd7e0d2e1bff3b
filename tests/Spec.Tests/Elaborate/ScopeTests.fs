namespace CnnSpec.Spec.Tests.Elaborate

open NUnit.Framework
open CnnSpec.Spec.Tests.Compiling

/// What a statement sees: variables, tensors, sizes, parameters.
[<TestFixture>]
type ScopeTests() =

    let gives input body (expected: int64 list) =
        Assert.That(outputOf input body, Is.EqualTo<int64 list> expected)

    [<Test>]
    member _.``channels, height and width are those of the tensor in hand``() =
        gives
            "3 x 32 x 48"
            "conv(channels * 2, kernel=[height / 2, width / 3], stride=[height / 16, width / 8])"
            [ 6; 9; 6 ]

    [<Test>]
    member _.``a let in a loop ends with the turn, one before it stays``() =
        gives
            "3 x 8 x 8"
            "let out = 4\nrepeat 2 { let out = out + 1; conv(out, kernel=1) }\nconv(out, kernel=1)"
            [ 4; 8; 8 ]

        refused [ "E0201" ] (inNetwork "3 x 8 x 8" "repeat 2 { let out = 5 }\nconv(out, kernel=1)")

    [<Test>]
    member _.``for counts items and their positions``() =
        gives "3 x 8 x 8" "for out, i in [4, 8] { assert out == 4 * (i + 1); conv(out, kernel=1) }" [ 8; 8; 8 ]

    [<Test>]
    member _.``repeat 0 and an empty list do nothing``() =
        gives "3 x 8 x 8" "repeat 0 { conv(4, kernel=1) }; for out in [] { conv(out, kernel=1) }" [ 3; 8; 8 ]

    [<Test>]
    member _.``an if without a true branch hands the tensor on``() =
        gives "3 x 8 x 8" "if channels == 4 { conv(5, kernel=1) } else if height == 9 { conv(6, kernel=1) }" [ 3; 8; 8 ]
        gives "3 x 8 x 8" "if channels == 4 { conv(5, kernel=1) } else { conv(7, kernel=1) }" [ 7; 8; 8 ]

    [<Test>]
    member _.``a block does not see its caller's variables``() =
        refused
            [ "E0201" ]
            "network N(width = 4) { input 3 x 8 x 8; let out = 4; B() }\nblock B() { conv(out, kernel=1) }"

    [<Test>]
    member _.``a block's defaults may use the parameters before them``() =
        let text =
            "network N { input 3 x 8 x 8; B(4) }\nblock B(mid, out = mid * 4) { conv(mid, kernel=1); conv(out, kernel=1) }"

        Assert.That(CnnSpec.Ir.Program.outputShape (program text), Is.EqualTo<int64 list> [ 16L; 8; 8 ])

    [<Test>]
    member _.``an operator or a block is an argument, with some of its own arguments or none``() =
        let text =
            """
network N(act = leaky_relu(0.2), down = Half) {
  input 3 x 8 x 8
  Twice(act); Twice(down); Twice(conv(kernel=3), 5)
}
block Half() { max_pool(2) }
block Twice(f, out = none) { if out == none { f } else { f(out) } }
"""

        let program = program text
        Assert.That(CnnSpec.Ir.Program.outputShape program, Is.EqualTo<int64 list> [ 5L; 2; 2 ])
        Assert.That(program.Nodes[1].Op, Is.EqualTo(CnnSpec.Operators.Activate(CnnSpec.Operators.LeakyRelu 0.2)))

    [<Test>]
    member _.``maps and lists pass whole tables of sizes``() =
        gives
            "3 x 8 x 8"
            "let c = {\"1x1\": 4, three: [8, 16]}\nconcat { conv(c[\"1x1\"], kernel=1); conv(c[\"three\"][-1], kernel=1) }"
            [ 20; 8; 8 ]

    [<Test>]
    member _.``functions are pure and may have lets, conditions and recursion``() =
        let text =
            """
fn make_divisible(v, by = 8) {
  let rounded = max(by, floor((v + by / 2) / by) * by)
  if rounded < 0.9 * v then rounded + by else rounded
}
fn fibonacci(n) = if n < 2 then n else fibonacci(n - 1) + fibonacci(n - 2)
network N { input 3 x 8 x 8; conv(make_divisible(42), kernel=1); conv(fibonacci(10), kernel=1) }
"""

        Assert.That((program text).Nodes |> List.map (fun n -> n.Shape.Head), Is.EqualTo<int64 list> [ 3L; 40; 55 ])

    [<Test>]
    member _.``a named tensor is continued from, and joined by its name``() =
        gives
            "3 x 8 x 8"
            "conv(4, kernel=1) as early; conv(8, kernel=1) as late; from early; conv(2, kernel=1)\nconcat { early; late; identity }"
            [ 14; 8; 8 ]

    [<Test>]
    member _.``split gives the parts in order``() =
        gives "6 x 8 x 8" "split(3) as a, b, c\nconcat { c; b }" [ 4; 8; 8 ]

        let slices =
            (program (inNetwork "6 x 8 x 8" "split(3) as a, b, c\nadd { a; b; c }")).Nodes |> List.map _.Op

        Assert.That(slices, Does.Contain(CnnSpec.Operators.Slice(2, 4)))

    [<Test>]
    member _.``every branch of a combinator begins with the same tensor``() =
        gives "4 x 8 x 8" "concat { conv(8, kernel=1); conv(channels, kernel=1); identity }" [ 16; 8; 8 ]

    [<Test>]
    member _.``an auxiliary head is there in training only, and the network goes on beside it``() =
        let program =
            program (
                inNetwork "3 x 8 x 8" "conv(4, kernel=1)\naux(weight=0.4) { flatten; linear(10) }\nflatten; linear(10)"
            )

        Assert.That(program.AuxiliaryHeads |> List.map _.LossWeight, Is.EqualTo<float list> [ 0.4 ])
        let head = program.Nodes[program.AuxiliaryHeads.Head.Node]
        Assert.That(head.TrainingOnly)
        Assert.That(program.Nodes[program.Output].TrainingOnly, Is.False)
        Assert.That(program.Nodes[program.Output].Weights.Head.Shape, Is.EqualTo<int64 list> [ 10L; 256 ])

    [<Test>]
    member _.``an assertion that holds says nothing``() =
        gives "3 x 8 x 8" "assert channels == 3 and height * width < 1k, \"small\"" [ 3; 8; 8 ]

    [<Test>]
    member _.``nothing of a failed layer is complained about twice``() =
        refused
            [ "E0303" ]
            (inNetwork "3 x 8 x 8" "conv(4, kernel=9) as x; linear(10); conv(channels, kernel=1); add { x; identity }")
