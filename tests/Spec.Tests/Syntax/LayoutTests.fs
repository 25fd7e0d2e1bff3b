/// How the canonical form looks, case by case.
module CnnSpec.Spec.Tests.Syntax.LayoutTests

open CnnSpec.Syntax
open CnnSpec.Spec.Tests.Testing
open Expecto

let private formatted text =
    Printer.print (Trees.parse SpecSyntax.Cnn "layout.cnn" text)

let private inBody (text: string) =
    $"network N {{\n  input 3 x 8 x 8\n{text}}}\n"

let private becomes (before: string) (after: string) =
    Expect.equal (formatted (inBody before)) (inBody after) "the canonical form"

[<Tests>]
let tests =
    testList
        "canonical form"
        [
            testCase "spaces are uniform, and statements that shared a line still do"
            <| fun () -> becomes "conv( 8 ,kernel = 3 ) ;relu;;max_pool(2)\n" "  conv(8, kernel=3); relu; max_pool(2)\n"

            testCase "a short body stays on its line, a long one is broken"
            <| fun () ->
                becomes "  repeat 2 {conv(8,kernel=3);relu}\n" "  repeat 2 { conv(8, kernel=3); relu }\n"

                let layer = "conv(8, kernel=3, padding=1, bias=false)"

                becomes
                    $"  repeat 2 {{ {layer}; {layer}; {layer} }}\n"
                    $"  repeat 2 {{\n    {layer}; {layer}\n    {layer}\n  }}\n"

            testCase "a body that has a line of its own keeps it"
            <| fun () -> becomes "  repeat 2 {\n relu }\n" "  repeat 2 {\n    relu\n  }\n"

            testCase "parentheses that change nothing go"
            <| fun () ->
                becomes
                    "  assert ((1 + (2 * 3)) - (4 - 5)) == 2 * (3 + 4)\n"
                    "  assert 1 + 2 * 3 - (4 - 5) == 2 * (3 + 4)\n"

                becomes "  assert (-(2)) ** 2 == (2 ** 3) ** 4\n" "  assert (-2) ** 2 == (2 ** 3) ** 4\n"
                becomes "  assert not (a == b) and (not c)\n" "  assert not (a == b) and not c\n"

            testCase "comments stay above, behind and after; empty lines are one at most"
            <| fun () ->
                becomes
                    "\n\n  // one\n  //\n\n\n  // two\n  relu // behind\n\n\n\n  relu\n  // last\n\n"
                    "\n  // one\n  //\n\n  // two\n  relu // behind\n\n  relu\n  // last\n"

            testCase "the comment after the last rule of init stays"
            <| fun () -> becomes "  init { bias = 0\n // why\n }\n" "  init {\n    bias = 0\n    // why\n  }\n"

            testCase "the comment behind the statement after an if stays behind it"
            <| fun () -> becomes "  if true { relu }\n  tanh // behind\n" "  if true { relu }\n  tanh // behind\n"

            testCase "any word can be a label, keywords too, for weights may be called so"
            <| fun () ->
                becomes
                    "  \"block\": relu\n  if :relu\n  add: add { relu; tanh }\n"
                    "  block: relu\n  if: relu\n  add: add { relu; tanh }\n"

            testCase "a long call has an argument a line"
            <| fun () ->
                let argument index =
                    $"argument_number_{index}=a_rather_long_value_{index}"

                let call = [ 1..4 ] |> List.map argument
                let broken = call |> List.map (fun a -> $"    {a},\n") |> String.concat ""
                becomes $"""  Block({String.concat ", " call})""" $"  Block(\n{broken}  )\n"

            testCase "a long list of numbers fills its lines"
            <| fun () ->
                let numbers = [ 1000..1029 ] |> List.map string |> String.concat ", "
                let text = formatted $"let many = [{numbers}]\n"
                let longest = text.Split '\n' |> Seq.map _.Length |> Seq.max
                Expect.isTrue (longest >= 100 && longest <= 120) $"the longest line has {longest} characters"
                Expect.equal (text.Split('\n').Length) 5 "lines"

            testCase "numbers keep their text, and keys lose quotes that none of them needs"
            <| fun () ->
                Expect.equal
                    (formatted """let a = {"x": 1e-3, "y": 50_000, "z": 5M, "w": 1.0}""")
                    "let a = {x: 1e-3, y: 50_000, z: 5M, w: 1.0}\n"
                    "the canonical form"

                Expect.equal
                    (formatted """let a = {b: 1, "3x3": 2}""")
                    "let a = {\"b\": 1, \"3x3\": 2}\n"
                    "the canonical form"

            cases "an empty file stays empty" [ ""; "\n\n" ]
            <| fun (text: string) -> Expect.isEmpty (formatted text) "the canonical form"

            testCase "a byte order mark and Windows line ends go"
            <| fun () ->
                Expect.equal
                    (formatted "\ufefflet a = 1 // one\r\n\r\nlet b = 2\r\n")
                    "let a = 1 // one\n\nlet b = 2\n"
                    "the canonical form"
        ]
