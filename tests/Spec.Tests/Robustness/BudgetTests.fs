namespace CnnSpec.Spec.Tests.Robustness

open System.Text
open NUnit.Framework
open CnnSpec
open CnnSpec.Text
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Robustness.Limits

/// Specs that ask for everything. A web service could be handed any of them.
[<TestFixture>]
type BudgetTests() =

    let inNet body = inNetwork "3 x 32 x 32" body

    [<TestCase("repeat 1000000000 { relu }")>]
    [<TestCase("repeat 1000000000 { }")>]
    [<TestCase("repeat 40000 { repeat 40000 { } }")>]
    [<TestCase("repeat 1000000000 { let x = 1 }")>]
    [<TestCase("for i in range(100000) { for j in range(100000) { } }")>]
    [<TestCase("repeat 1000000000 { assert true }")>]
    [<TestCase("repeat 1000000000 { init { conv = 0 } }")>]
    [<TestCase("repeat 1000000000 { concat { identity; conv(8, kernel=1); Unheard(1) } }")>]
    [<TestCase("repeat 1000000000 { let x = unheard }")>]
    [<TestCase("repeat 1000000000 { relu(unheard=1) }")>]
    [<TestCase("repeat 1000000000 { from unheard }")>]
    [<TestCase("repeat 1000000000 { unheard: relu }")>]
    [<TestCase("repeat 1000000000 { from avg_pool unheard; conv(16, kernel=33) }")>]
    member _.``a loop that never ends``(body: string) = stops "E0211" (inNet body)

    [<Test>]
    member _.``a block that calls itself``() =
        stops "E0211" "network N { input 3 x 32 x 32; A() }\nblock A() { B() }\nblock B() { A() }"

    [<Test>]
    member _.``a function that calls itself``() =
        stops "E0211" "fn f(n) = f(n + 1)\nnetwork N { input 3 x 32 x 32; conv(f(1), kernel=1) }"

    [<Test>]
    member _.``a function that calls itself twice``() =
        stops
            "E0211"
            "fn f(n) = if n == 0 then 1 else f(n - 1) + f(n - 1)\nnetwork N { input 3 x 32 x 32; conv(f(90), kernel=1) }"

    [<TestCase("let l = [1, 2]", "l + l")>]
    [<TestCase("let l = \"ab\"", "l + l")>]
    [<TestCase("let l = \"ab\"", "\"{l}{l}\"")>]
    [<TestCase("let l = [1, 2]", "[l, l]")>]
    [<TestCase("let l = [1, 2]", "{\"a\": l, \"b\": l}")>]
    [<TestCase("let l = [1, 2]", "text(l) + text(l)")>]
    member _.``doubling again and again``(first: string, next: string) =
        let steps = String.replicate 60 $"let l = {next}\n"

        let _, seconds =
            compileBytes (System.Text.Encoding.UTF8.GetBytes(inNet $"{first}\n{steps}assert len(l) == 0"))

        Assert.That(seconds, Is.LessThan longest)

    [<Test>]
    member _.``a value that doubles is not written out whole``() =
        let steps = String.replicate 60 "let l = [l, l]\n"
        stops "E0211" (inNet $"let l = [1]\n{steps}let t = \"{{l}}\"")

        let compilation, seconds =
            compileBytes (System.Text.Encoding.UTF8.GetBytes(inNet $"let l = [1]\n{steps}l"))

        Assert.That(seconds, Is.LessThan longest)
        Assert.That((rendered compilation.Value).Length, Is.LessThan 2000)

    [<TestCase("(", ")")>]
    [<TestCase("[", "]")>]
    [<TestCase("{a: ", "}")>]
    [<TestCase("-", "")>]
    [<TestCase("not ", "")>]
    [<TestCase("f(", ")")>]
    [<TestCase("1 + ", "")>]
    [<TestCase("2 ** ", "")>]
    [<TestCase("if true then 1 else ", "")>]
    [<TestCase("\"{", "}\"")>]
    member _.``a hundred thousand nested brackets or operators``(opening: string, closing: string) =
        let text = String.replicate 100_000 opening + "1" + String.replicate 100_000 closing

        let _, seconds =
            compileBytes (System.Text.Encoding.UTF8.GetBytes(inNet $"let a = {text}"))

        Assert.That(seconds, Is.LessThan longest)

    [<TestCase("{")>]
    [<TestCase("repeat 1 {")>]
    [<TestCase("if true {")>]
    [<TestCase("if true { } else ")>]
    [<TestCase("add {")>]
    [<TestCase("a: ")>]
    member _.``a hundred thousand nested bodies``(opening: string) =
        let _, seconds =
            compileBytes (System.Text.Encoding.UTF8.GetBytes(inNet (String.replicate 100_000 opening)))

        Assert.That(seconds, Is.LessThan longest)

    [<Test>]
    member _.``more file than any spec needs``() =
        stops "E0104" (inNet (String.replicate 10_000_000 "x"))

    [<TestCase("x")>]
    [<TestCase("(")>]
    [<TestCase("1")>]
    [<TestCase("\"")>]
    [<TestCase("relu;")>]
    [<TestCase(" ")>]
    [<TestCase("]")>]
    [<TestCase("x(1\n")>]
    [<TestCase("//\n")>]
    [<TestCase("1 + ")>]
    [<TestCase("[1][")>]
    [<TestCase("conv(1, kernel=x);")>]
    [<TestCase("let x = {;")>]
    member _.``the longest line that is read``(piece: string) =
        let text = String.replicate (3_900_000 / piece.Length) piece
        let _, seconds = compileBytes (System.Text.Encoding.UTF8.GetBytes(inNet text))
        Assert.That(seconds, Is.LessThan(10.0))

    [<TestCase(0xFFuy)>]
    [<TestCase(0xC3uy)>]
    [<TestCase(0x80uy)>]
    member _.``bytes that are no text``(last: byte) =
        let bytes = Array.append "network N {\n  input "B [| last |]

        match SourceFile.ofBytes "spec.cnn" bytes with
        | Ok _ -> Assert.Fail "read as text"
        | Error diagnostic ->
            Assert.That(diagnostic.Code, Is.EqualTo "E0104")
            Assert.That((Span.start diagnostic.Primary.Span).Line, Is.EqualTo 2)

    [<TestCase("- [", "]")>]
    [<TestCase("- {a: ", "}")>]
    [<TestCase("- ", "")>]
    [<TestCase("? ", "")>]
    [<TestCase("- network: N\n  body: [{group: ", "}]")>]
    [<TestCase("- &a ", "")>]
    [<TestCase("- !!x ", "")>]
    [<TestCase("- \"", "\"")>]
    [<TestCase("- let: {x: (", ")}")>]
    member _.``YAML nested a hundred thousand times``(opening: string, closing: string) =
        let text = String.replicate 100_000 opening + "1" + String.replicate 100_000 closing
        let _, seconds = compileFileOf "spec.yaml" (System.Text.Encoding.UTF8.GetBytes text)
        Assert.That(seconds, Is.LessThan longest)

    [<Test>]
    member _.``YAML whose aliases double at every level``() =
        let level i =
            $"- let: {{x{i}: &x{i} [*x{i - 1}, *x{i - 1}]}}"

        let text =
            "- let: {x0: &x0 [1, 2]}" :: List.map level [ 1..60 ] |> String.concat "\n"

        let _, seconds = compileFileOf "spec.yaml" (System.Text.Encoding.UTF8.GetBytes text)
        Assert.That(seconds, Is.LessThan longest)

    [<Test>]
    member _.``imports without end``() =
        let read (name: string) =
            Ok(Encoding.UTF8.GetBytes $"import \"{name}x\"\nblock B{name.Length}() {{ relu }}")

        let compilation =
            compileWith { alone with Read = read } "import \"a\"\nnetwork N { input 3 x 8 x 8 }"

        Assert.That(codes compilation, Is.EqualTo<string list> [ "E0208" ])

    [<Test>]
    member _.``imports that double at every level``() =
        let read (name: string) =
            Ok(Encoding.UTF8.GetBytes $"import \"{name}a\"\nimport \"{name}b\"")

        let clock = System.Diagnostics.Stopwatch.StartNew()

        let compilation =
            compileWith { alone with Read = read } "import \"a\"\nnetwork N { input 3 x 8 x 8 }"

        Assert.That(codes compilation, Does.Contain "E0208")
        Assert.That(clock.Elapsed.TotalSeconds, Is.LessThan longest)

    [<Test>]
    member _.``the same failure on a long chain, ten thousand times``() =
        let body =
            "repeat 10000 { relu }\nidentity as x\nrepeat 10000 { from x; add { conv(5, kernel=1); identity } }"

        stops "E0301" (inNet body)
