/// What a statement sees: variables, tensors, sizes, parameters.
module CnnSpec.Spec.Tests.Elaborate.ScopeTests

open CnnSpec.Spec.Tests.Compiling
open Expecto

let private gives input body (expected: int64 list) =
    Expect.equal (outputOf input body) expected "the output's shape"

[<Tests>]
let tests =
    testList
        "scope"
        [
            testCase "channels, height and width are those of the tensor in hand"
            <| fun () ->
                gives
                    "3 x 32 x 48"
                    "conv(channels * 2, kernel=[height / 2, width / 3], stride=[height / 16, width / 8])"
                    [ 6; 9; 6 ]

            testCase "a let in a loop ends with the turn, one before it stays"
            <| fun () ->
                gives
                    "3 x 8 x 8"
                    "let out = 4\nrepeat 2 { let out = out + 1; conv(out, kernel=1) }\nconv(out, kernel=1)"
                    [ 4; 8; 8 ]

                refused [ "E0201" ] (inNetwork "3 x 8 x 8" "repeat 2 { let out = 5 }\nconv(out, kernel=1)")

            testCase "for counts items and their positions"
            <| fun () ->
                gives "3 x 8 x 8" "for out, i in [4, 8] { assert out == 4 * (i + 1); conv(out, kernel=1) }" [ 8; 8; 8 ]

            testCase "repeat 0 and an empty list do nothing"
            <| fun () ->
                gives "3 x 8 x 8" "repeat 0 { conv(4, kernel=1) }; for out in [] { conv(out, kernel=1) }" [ 3; 8; 8 ]

            testCase "an if without a true branch hands the tensor on"
            <| fun () ->
                gives
                    "3 x 8 x 8"
                    "if channels == 4 { conv(5, kernel=1) } else if height == 9 { conv(6, kernel=1) }"
                    [ 3; 8; 8 ]

                gives "3 x 8 x 8" "if channels == 4 { conv(5, kernel=1) } else { conv(7, kernel=1) }" [ 7; 8; 8 ]

            testCase "a block does not see its caller's variables"
            <| fun () ->
                refused
                    [ "E0201" ]
                    "network N(width = 4) { input 3 x 8 x 8; let out = 4; B() }\nblock B() { conv(out, kernel=1) }"

            testCase "a block's defaults may use the parameters before them"
            <| fun () ->
                let text =
                    "network N { input 3 x 8 x 8; B(4) }\nblock B(mid, out = mid * 4) { conv(mid, kernel=1); conv(out, kernel=1) }"

                Expect.equal (CnnSpec.Ir.Program.outputShape (program text)) [ 16L; 8; 8 ] "the output's shape"

            testCase "an operator or a block is an argument, with some of its own arguments or none"
            <| fun () ->
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
                Expect.equal (CnnSpec.Ir.Program.outputShape program) [ 5L; 2; 2 ] "the output's shape"

                Expect.equal
                    (program.Nodes[1].Op)
                    (CnnSpec.Operators.Activate(CnnSpec.Operators.LeakyRelu 0.2))
                    "the operations"

            testCase "maps and lists pass whole tables of sizes"
            <| fun () ->
                gives
                    "3 x 8 x 8"
                    "let c = {\"1x1\": 4, three: [8, 16]}\nconcat { conv(c[\"1x1\"], kernel=1); conv(c[\"three\"][-1], kernel=1) }"
                    [ 20; 8; 8 ]

            testCase "functions are pure and may have lets, conditions and recursion"
            <| fun () ->
                let text =
                    """
fn make_divisible(v, by = 8) {
  let rounded = max(by, floor((v + by / 2) / by) * by)
  if rounded < 0.9 * v then rounded + by else rounded
}
fn fibonacci(n) = if n < 2 then n else fibonacci(n - 1) + fibonacci(n - 2)
network N { input 3 x 8 x 8; conv(make_divisible(42), kernel=1); conv(fibonacci(10), kernel=1) }
"""

                Expect.equal ((program text).Nodes |> List.map (fun n -> n.Shape.Head)) [ 3L; 40; 55 ] "the channels"

            testCase "a named tensor is continued from, and joined by its name"
            <| fun () ->
                gives
                    "3 x 8 x 8"
                    "conv(4, kernel=1) as early; conv(8, kernel=1) as late; from early; conv(2, kernel=1)\nconcat { early; late; identity }"
                    [ 14; 8; 8 ]

            testCase "split gives the parts in order"
            <| fun () ->
                gives "6 x 8 x 8" "split(3) as a, b, c\nconcat { c; b }" [ 4; 8; 8 ]

                let slices =
                    (program (inNetwork "6 x 8 x 8" "split(3) as a, b, c\nadd { a; b; c }")).Nodes |> List.map _.Op

                Expect.contains slices (CnnSpec.Operators.Slice(2, 4)) "the operations"

            testCase "every branch of a combinator begins with the same tensor"
            <| fun () ->
                gives "4 x 8 x 8" "concat { conv(8, kernel=1); conv(channels, kernel=1); identity }" [ 16; 8; 8 ]

            testCase "an auxiliary head is there in training only, and the network goes on beside it"
            <| fun () ->
                let program =
                    program (
                        inNetwork
                            "3 x 8 x 8"
                            "conv(4, kernel=1)\naux(weight=0.4) { flatten; linear(10) }\nflatten; linear(10)"
                    )

                Expect.equal (program.AuxiliaryHeads |> List.map _.LossWeight) [ 0.4 ] "the weights of the losses"
                let head = program.Nodes[program.AuxiliaryHeads.Head.Node]
                Expect.isTrue head.TrainingOnly "the head is for training only"
                Expect.isFalse (program.Nodes[program.Output].TrainingOnly) "the output is not"
                Expect.equal (program.Nodes[program.Output].Weights.Head.Shape) [ 10L; 256 ] "the weight's shape"

            testCase "an assertion that holds says nothing"
            <| fun () -> gives "3 x 8 x 8" "assert channels == 3 and height * width < 1k, \"small\"" [ 3; 8; 8 ]

            testCase "nothing of a failed layer is complained about twice"
            <| fun () ->
                refused
                    [ "E0303" ]
                    (inNetwork
                        "3 x 8 x 8"
                        "conv(4, kernel=9) as x; linear(10); conv(channels, kernel=1); add { x; identity }")
        ]
