/// How the canonical form looks, case by case.
module CnnSpec.Syntax.Tests.LayoutTests

open CnnSpec.Syntax
open NUnit.Framework

let private formatted text =
    Printer.print (Trees.parse SpecSyntax.Cnn "layout.cnn" text)

let private inBody (text: string) =
    $"network N {{\n  input 3 x 8 x 8\n{text}}}\n"

let private becomes (before: string) (after: string) =
    Assert.That(formatted (inBody before), Is.EqualTo(inBody after))

[<Test>]
let ``spaces are uniform, and statements that shared a line still do`` () =
    becomes "conv( 8 ,kernel = 3 ) ;relu;;max_pool(2)\n" "  conv(8, kernel=3); relu; max_pool(2)\n"

[<Test>]
let ``a short body stays on its line, a long one is broken`` () =
    becomes "  repeat 2 {conv(8,kernel=3);relu}\n" "  repeat 2 { conv(8, kernel=3); relu }\n"

    let layer = "conv(8, kernel=3, padding=1, bias=false)"

    becomes $"  repeat 2 {{ {layer}; {layer}; {layer} }}\n" $"  repeat 2 {{\n    {layer}; {layer}\n    {layer}\n  }}\n"

[<Test>]
let ``a body that has a line of its own keeps it`` () =
    becomes "  repeat 2 {\n relu }\n" "  repeat 2 {\n    relu\n  }\n"

[<Test>]
let ``parentheses that change nothing go`` () =
    becomes "  assert ((1 + (2 * 3)) - (4 - 5)) == 2 * (3 + 4)\n" "  assert 1 + 2 * 3 - (4 - 5) == 2 * (3 + 4)\n"
    becomes "  assert (-(2)) ** 2 == (2 ** 3) ** 4\n" "  assert (-2) ** 2 == (2 ** 3) ** 4\n"
    becomes "  assert not (a == b) and (not c)\n" "  assert not (a == b) and not c\n"

[<Test>]
let ``comments stay above, behind and after; empty lines are one at most`` () =
    becomes
        "\n\n  // one\n  //\n\n\n  // two\n  relu // behind\n\n\n\n  relu\n  // last\n\n"
        "\n  // one\n  //\n\n  // two\n  relu // behind\n\n  relu\n  // last\n"

[<Test>]
let ``the comment after the last rule of init stays`` () =
    becomes "  init { bias = 0\n // why\n }\n" "  init {\n    bias = 0\n    // why\n  }\n"

[<Test>]
let ``the comment behind the statement after an if stays behind it`` () =
    becomes "  if true { relu }\n  tanh // behind\n" "  if true { relu }\n  tanh // behind\n"

[<Test>]
let ``any word can be a label, keywords too, for weights may be called so`` () =
    becomes
        "  \"block\": relu\n  if :relu\n  add: add { relu; tanh }\n"
        "  block: relu\n  if: relu\n  add: add { relu; tanh }\n"

[<Test>]
let ``a long call has an argument a line`` () =
    let argument index =
        $"argument_number_{index}=a_rather_long_value_{index}"

    let call = [ 1..4 ] |> List.map argument
    let broken = call |> List.map (fun a -> $"    {a},\n") |> String.concat ""
    becomes $"""  Block({String.concat ", " call})""" $"  Block(\n{broken}  )\n"

[<Test>]
let ``a long list of numbers fills its lines`` () =
    let numbers = [ 1000..1029 ] |> List.map string |> String.concat ", "
    let text = formatted $"let many = [{numbers}]\n"
    Assert.That(text.Split '\n' |> Seq.map _.Length |> Seq.max, Is.InRange(100, 120))
    Assert.That(text.Split('\n').Length, Is.EqualTo 5)

[<Test>]
let ``numbers keep their text, and keys lose quotes that none of them needs`` () =
    Assert.That(
        formatted """let a = {"x": 1e-3, "y": 50_000, "z": 5M, "w": 1.0}""",
        Is.EqualTo "let a = {x: 1e-3, y: 50_000, z: 5M, w: 1.0}\n"
    )

    Assert.That(formatted """let a = {b: 1, "3x3": 2}""", Is.EqualTo "let a = {\"b\": 1, \"3x3\": 2}\n")

[<TestCase("")>]
[<TestCase("\n\n")>]
let ``an empty file stays empty`` (text: string) = Assert.That(formatted text, Is.Empty)

[<Test>]
let ``a byte order mark and Windows line ends go`` () =
    Assert.That(formatted "\ufefflet a = 1 // one\r\n\r\nlet b = 2\r\n", Is.EqualTo "let a = 1 // one\n\nlet b = 2\n")
