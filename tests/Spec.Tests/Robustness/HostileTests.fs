/// Whatever a file holds, it gets diagnostics, soon, and never an exception.
module CnnSpec.Spec.Tests.Robustness.HostileTests

open System
open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Spec.Tests.Syntax
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Robustness.Limits
open CnnSpec.Spec.Tests.Testing
open Expecto

let private codes path (text: string) =
    let compilation, seconds = compileSource (Source.create path text)
    Expect.isLessThan seconds longest "seconds"
    codes compilation

let private repeated count (text: string) = String.replicate count text

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

[<Tests>]
let tests =
    // What a test takes is measured for the whole process.
    testSequenced
    <| testList
        "hostile text"
        [
            testCase "an alias bomb is refused where it begins"
            <| fun () ->
                let bomb =
                    "- let: &a [1, 1, 1, 1]\n" + (repeated 30 "- let: {b: &a [*a, *a, *a, *a, *a, *a, *a, *a, *a]}\n")

                Expect.equal (codes "bomb.yaml" bomb |> List.distinct) [ "E0105" ] "what is said"

            cases "deep nesting of YAML is refused" [ "["; "{"; "- "; "? "; "{a: "; "[[a]: " ]
            <| fun (opening: string) ->
                let said = codes "deep.yaml" (repeated 100_000 opening)
                Expect.hasLength said 1 "what is said"
                Expect.contains [ "E0103"; "E0101" ] said.Head "what is said"

            cases
                "long rows in expressions are refused"
                [ "-"; "not "; "1+"; "2**"; "("; "[0]"; "if a then b else "; "\"{" ]
            <| fun (link: string) ->
                let expression = (if link = "[0]" then "a" else "") + repeated 200_000 link + "1"
                Expect.contains (codes "deep.cnn" $"let a = {expression}\n") "E0103" "what is said"
                Expect.contains (codes "deep.yaml" $"- let:\n    a: |\n      {expression}\n") "E0103" "what is said"

            testCase "long rows of else if and let are refused"
            <| fun () ->
                Expect.contains
                    (codes "deep.cnn" ("network N { if a {}" + repeated 100_000 " else if a {}" + "}"))
                    "E0103"
                    "what is said"

                Expect.contains
                    (codes "deep.cnn" ("fn f() {" + repeated 100_000 "let a = 1\n" + "a }"))
                    "E0103"
                    "what is said"

            testCase "a row of two hundred operators is near the limit and prints"
            <| fun () ->
                let text = "let a = 1" + repeated 150 " + 1"
                let file = Trees.parse SpecSyntax.Cnn "row.cnn" text

                Expect.equal
                    (Trees.meaning (Trees.parse SpecSyntax.Yaml "row.yaml" (SpecSyntax.print SpecSyntax.Yaml file)))
                    (Trees.meaning file)
                    "the tree"

            testCase "garbage never throws"
            <| fun () ->
                let random = random ()

                for _ in 1..5_000 do
                    let text =
                        [ for _ in 1 .. random.Next 14 -> pieces[random.Next pieces.Length] ] |> String.concat ""

                    for path in [ "garbage.yaml"; "garbage.cnn" ] do
                        try
                            let file, problems = SpecSyntax.parse (Source.create path text)

                            for problem in problems do
                                Render.diagnostic Render.plain problem |> ignore

                            if problems.IsEmpty then
                                Trees.parse SpecSyntax.Yaml "garbage.yaml" (SpecSyntax.print SpecSyntax.Yaml file)
                                |> ignore
                        with error ->
                            failtest $"{path}: {error}\n%A{text}"
        ]
