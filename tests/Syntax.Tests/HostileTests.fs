/// Whatever a file holds, it gets diagnostics, soon, and never an exception.
module CnnSpec.Syntax.Tests.HostileTests

open System
open System.Diagnostics
open CnnSpec
open CnnSpec.Text
open CnnSpec.Syntax
open NUnit.Framework

let private options: Compile.Options =
    { Set = []; Input = None; Read = fun _ -> Error "there is no such file" }

let private codes path text =
    let clock = Stopwatch.StartNew()
    let compilation = Compile.file options (Source.create path text)
    Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds 20.0))
    compilation.Diagnostics |> List.map _.Code

let private many count (text: string) = String.replicate count text

[<Test>]
let ``an alias bomb is refused where it begins`` () =
    let bomb =
        "- let: &a [1, 1, 1, 1]\n" + (many 30 "- let: {b: &a [*a, *a, *a, *a, *a, *a, *a, *a, *a]}\n")

    Assert.That(codes "bomb.yaml" bomb |> List.distinct, Is.EqualTo<string list> [ "E0105" ])

[<TestCase("[")>]
[<TestCase("{")>]
[<TestCase("- ")>]
[<TestCase("? ")>]
[<TestCase("{a: ")>]
[<TestCase("[[a]: ")>]
let ``deep nesting of YAML is refused`` (opening: string) =
    let said = codes "deep.yaml" (many 100_000 opening)
    Assert.That(said, Has.Length.EqualTo 1)
    Assert.That(said.Head, Is.EqualTo("E0103").Or.EqualTo "E0101")

[<TestCase("-")>]
[<TestCase("not ")>]
[<TestCase("1+")>]
[<TestCase("2**")>]
[<TestCase("(")>]
[<TestCase("[0]")>]
[<TestCase("if a then b else ")>]
[<TestCase("\"{")>]
let ``long rows in expressions are refused`` (link: string) =
    let expression = (if link = "[0]" then "a" else "") + many 200_000 link + "1"
    Assert.That(codes "deep.cnn" $"let a = {expression}\n", Does.Contain "E0103")
    Assert.That(codes "deep.yaml" $"- let:\n    a: |\n      {expression}\n", Does.Contain "E0103")

[<Test>]
let ``long rows of else if and let are refused`` () =
    Assert.That(codes "deep.cnn" ("network N { if a {}" + many 100_000 " else if a {}" + "}"), Does.Contain "E0103")
    Assert.That(codes "deep.cnn" ("fn f() {" + many 100_000 "let a = 1\n" + "a }"), Does.Contain "E0103")

[<Test>]
let ``a row of two hundred operators is near the limit and prints`` () =
    let text = "let a = 1" + many 150 " + 1"
    let file = Trees.parse SpecSyntax.Cnn "row.cnn" text

    Assert.That(
        Trees.meaning (Trees.parse SpecSyntax.Yaml "row.yaml" (SpecSyntax.print SpecSyntax.Yaml file)),
        Is.EqualTo(Trees.meaning file)
    )

/// Pieces of YAML and of specs, put together at random.
let private pieces =
    [|
        "- "
        "network: N"
        "\n"
        "\n  "
        "body:"
        "[relu"
        "]"
        "{a: 1"
        "}"
        ": "
        ","
        "&a"
        "*a"
        "!x"
        "\""
        "'"
        "|"
        ">"
        "#"
        "%"
        "@"
        "`"
        "\t"
        "\r\n"
        "\u0000"
        "\u0085"
        "\ufeff"
        "😀"
        "do:"
        "if: a"
        "then:"
        "else:"
        "repeat: 2"
        "label: x"
        "as: y"
        "? "
        "---"
        "..."
        "%YAML 1.2\n"
        "<<: "
        "conv: [64, kernel: 3]"
        "\"\\x"
        "\"\\ud800\""
        "init: {a: 1}"
        "train:"
    |]

[<Test>]
let ``garbage never throws`` () =
    let seed = Random.Shared.Next()
    let random = Random seed

    for _ in 1..5_000 do
        let text =
            [ for _ in 1 .. random.Next 14 -> pieces[random.Next pieces.Length] ] |> String.concat ""

        for path in [ "garbage.yaml"; "garbage.cnn" ] do
            try
                let file, problems = SpecSyntax.parse (Source.create path text)

                for problem in problems do
                    Render.diagnostic Render.plain problem |> ignore

                if problems.IsEmpty then
                    Trees.parse SpecSyntax.Yaml "garbage.yaml" (SpecSyntax.print SpecSyntax.Yaml file) |> ignore
            with error ->
                Assert.Fail $"seed {seed}, {path}: {error}\n%A{text}"
