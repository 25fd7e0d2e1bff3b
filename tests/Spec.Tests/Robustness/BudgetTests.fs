/// Specs that ask for everything. A web service could be handed any of them.
module CnnSpec.Spec.Tests.Robustness.BudgetTests

open System.Text
open CnnSpec
open CnnSpec.Text
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Robustness.Limits
open CnnSpec.Spec.Tests.Testing
open Expecto

let private inNet body = inNetwork "3 x 32 x 32" body

let private bytes (text: string) = Encoding.UTF8.GetBytes text

/// As deep as a file that is read can be, a hundred thousand at most.
let private nested (opening: string) (closing: string) =
    let most = (SourceFile.largest - 200) / (opening.Length + closing.Length)
    let depth = min 100_000 most
    String.replicate depth opening + "1" + String.replicate depth closing

[<Tests>]
let tests =
    // What a test takes is measured for the whole process.
    testSequenced
    <| testList
        "budget"
        [
            cases
                "a loop that never ends"
                [
                    "repeat 1000000000 { relu }"
                    "repeat 1000000000 { }"
                    "repeat 40000 { repeat 40000 { } }"
                    "repeat 1000000000 { let x = 1 }"
                    "for i in range(100000) { for j in range(100000) { } }"
                    "repeat 1000000000 { assert true }"
                    "repeat 1000000000 { init { conv = 0 } }"
                    "repeat 1000000000 { concat { identity; conv(8, kernel=1); Unheard(1) } }"
                    "repeat 1000000000 { let x = unheard }"
                    "repeat 1000000000 { relu(unheard=1) }"
                    "repeat 1000000000 { from unheard }"
                    "repeat 1000000000 { unheard: relu }"
                    "repeat 1000000000 { from avg_pool unheard; conv(16, kernel=33) }"
                ]
            <| fun (body: string) -> stops "E0211" (inNet body)

            testCase "a block that calls itself"
            <| fun () -> stops "E0211" "network N { input 3 x 32 x 32; A() }\nblock A() { B() }\nblock B() { A() }"

            testCase "a function that calls itself"
            <| fun () -> stops "E0211" "fn f(n) = f(n + 1)\nnetwork N { input 3 x 32 x 32; conv(f(1), kernel=1) }"

            testCase "a function that calls itself twice"
            <| fun () ->
                stops
                    "E0211"
                    "fn f(n) = if n == 0 then 1 else f(n - 1) + f(n - 1)\nnetwork N { input 3 x 32 x 32; conv(f(90), kernel=1) }"

            cases
                "doubling again and again"
                [
                    "let l = [1, 2]", "l + l"
                    "let l = \"ab\"", "l + l"
                    "let l = \"ab\"", "\"{l}{l}\""
                    "let l = [1, 2]", "[l, l]"
                    "let l = [1, 2]", "{\"a\": l, \"b\": l}"
                    "let l = [1, 2]", "text(l) + text(l)"
                ]
            <| fun (first: string, next: string) ->
                let steps = String.replicate 60 $"let l = {next}\n"

                stops "E0211" (inNet $"{first}\n{steps}assert len(l) == 0")

            testCase "a value that doubles is not written out whole"
            <| fun () ->
                let steps = String.replicate 60 "let l = [l, l]\n"
                stops "E0211" (inNet $"let l = [1]\n{steps}let t = \"{{l}}\"")

                let compilation, seconds = compileBytes (bytes (inNet $"let l = [1]\n{steps}l"))

                Expect.isLessThan seconds longest "seconds"
                Expect.isLessThan ((rendered compilation.Value).Length) 2000 "characters said"

            cases
                "brackets and operators nested as deep as a file can"
                [
                    "(", ")"
                    "[", "]"
                    "{a: ", "}"
                    "-", ""
                    "not ", ""
                    "f(", ")"
                    "1 + ", ""
                    "2 ** ", ""
                    "if true then 1 else ", ""
                    "\"{", "}\""
                ]
            <| fun (opening: string, closing: string) -> stops "E0103" (inNet $"let a = {nested opening closing}")

            cases "bodies nested as deep as a file can" [ "{"; "repeat 1 {"; "if true {"; "if true { } else "; "add {" ]
            <| fun (opening: string) -> stops "E0103" (inNet (nested opening ""))

            testCase "more file than any spec needs"
            <| fun () -> stops "E0104" (inNet (String.replicate 10_000_000 "x"))

            cases
                "the longest line that is read"
                [
                    "x", "E0201"
                    "(", "E0101"
                    "1", "E0101"
                    "\"", "E0101"
                    "relu;", "E0211"
                    "]", "E0101"
                    "x(1\n", "E0101"
                    "1 + ", "E0101"
                    "[1][", "E0101"
                    "conv(1, kernel=x);", "E0201"
                    "let x = {;", "E0101"
                ]
            <| fun (piece: string, code: string) -> stops code (inNet (nested piece ""))

            cases "the longest line of nothing" [ " "; "\t"; "//" ]
            <| fun (piece: string) ->
                let compilation, seconds =
                    compileBytes (bytes (inNet (String.replicate 300_000 piece + "\nrelu")))

                Expect.equal (codes compilation.Value) [] "what is said"
                Expect.isLessThan seconds longest "seconds"

            cases "bytes that are no text" [ 0xFFuy; 0xC3uy; 0x80uy ]
            <| fun (last: byte) ->
                let bytes = Array.append "network N {\n  input "B [| last |]

                match SourceFile.ofBytes "spec.cnn" bytes with
                | Ok _ -> failtest "read as text"
                | Error diagnostic ->
                    Expect.equal diagnostic.Code "E0104" "what is said"
                    Expect.equal ((Span.start diagnostic.Primary.Span).Line) 2 "the line"

            cases
                "YAML nested as deep as a file can"
                [
                    "", "[", "]", "", "E0103"
                    "", "{a: ", "}", "", "E0103"
                    "", "- ", "", "", "E0103"
                    "", "? ", "", "", "E0103"
                    "- network: N\n  body: ", "[{group: ", "}]", "", "E0103"
                    "- let: {x: ", "(", ")", "}", "E0103"
                    "- ", "&a ", "", "", "E0101"
                    "- ", "!!x ", "", "", "E0101"
                    "- ", "\"", "", "", "E0101"
                ]
            <| fun (before: string, opening: string, closing: string, behind: string, code: string) ->
                stopsIn "spec.yaml" code (before + nested opening closing + behind)

            testCase "YAML whose aliases double at every level"
            <| fun () ->
                let level i =
                    $"- let: {{x{i}: &x{i} [*x{i - 1}, *x{i - 1}]}}"

                let text =
                    "- let: {x0: &x0 [1, 2]}" :: List.map level [ 1..60 ] |> String.concat "\n"

                stopsIn "spec.yaml" "E0105" text

            testCase "imports without end"
            <| fun () ->
                let read (name: string) =
                    Ok(Encoding.UTF8.GetBytes $"import \"{name}x\"\nblock B{name.Length}() {{ relu }}")

                let compilation =
                    compileWith { alone with Read = read } "import \"a\"\nnetwork N { input 3 x 8 x 8 }"

                Expect.equal (codes compilation) [ "E0208" ] "what is said"

            testCase "imports that double at every level"
            <| fun () ->
                let read (name: string) =
                    Ok(Encoding.UTF8.GetBytes $"import \"{name}a\"\nimport \"{name}b\"")

                let clock = System.Diagnostics.Stopwatch.StartNew()

                let compilation =
                    compileWith { alone with Read = read } "import \"a\"\nnetwork N { input 3 x 8 x 8 }"

                Expect.contains (codes compilation) "E0208" "what is said"
                Expect.isLessThan clock.Elapsed.TotalSeconds longest "seconds"

            testCase "the same failure on a long chain, ten thousand times"
            <| fun () ->
                let body =
                    "repeat 10000 { relu }\nidentity as x\nrepeat 10000 { from x; add { conv(5, kernel=1); identity } }"

                stops "E0301" (inNet body)
        ]
