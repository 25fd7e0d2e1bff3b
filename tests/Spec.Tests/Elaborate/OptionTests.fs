/// What the command line changes in a spec, and the files that a spec imports.
module CnnSpec.Spec.Tests.Elaborate.OptionTests

open CnnSpec
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private spec =
    "network N(width = 4, act = relu) { input 3 x 8 x 8; conv(width, kernel=3, padding=1); act }"

let private withSet set =
    compileWith { alone with Set = set } spec

let private output (compilation: Compile.Compilation) =
    Expect.isEmpty (rendered compilation) "what is said"
    Ir.Program.outputShape (List.exactlyOne compilation.Networks).Program

let private withFiles files text =
    compileWith
        { alone with
            Read =
                fun name ->
                    files
                    |> Map.tryFind name
                    |> Option.fold
                        (fun _ (text: string) -> Ok(System.Text.Encoding.UTF8.GetBytes text))
                        (Error "there is no such file")
        }
        text

let private main = "import \"parts/a.cnn\"\nnetwork N { input 3 x 8 x 8; A() }"

[<Tests>]
let tests =
    testList
        "overrides and imports"
        [
            testCase "set changes a parameter, with any expression"
            <| fun () ->
                Expect.equal (output (withSet [ "width", "2 ** 5" ])) [ 32L; 8; 8 ] "the output's shape"
                Expect.equal (output (withSet [ "act", "max_pool(2)" ])) [ 4L; 4; 4 ] "the output's shape"

            testCase "set of an unknown parameter names the one that was meant"
            <| fun () ->
                let compilation = withSet [ "widht", "8" ]
                Expect.equal (codes compilation) [ "E0203" ] "what is said"
                Expect.stringContains (rendered compilation) "did you mean 'width'?" "what is said"

            cases "set of something that is no expression is a diagnostic at its place" [ "2 +"; ""; "8 8" ]
            <| fun (text: string) ->
                let compilation = withSet [ "width", text ]
                Expect.equal (codes compilation) [ "E0101" ] "what is said"
                Expect.stringContains (rendered compilation) "--set width" "what is said"

            testCase "input replaces the spec's own"
            <| fun () ->
                let compilation = compileWith { alone with Input = Some [ 1L; 28; 20 ] } spec
                Expect.equal (output compilation) [ 4L; 28; 20 ] "the output's shape"

            testCase "an import brings blocks, functions and constants, and paths are relative to the importing file"
            <| fun () ->
                let files =
                    Map
                        [
                            "parts/a.cnn", "import \"more/b.cnn\"\nblock A() { B(twice(size)) }"
                            "parts/more/b.cnn",
                            "let size = 8\nfn twice(n) = 2 * n\nblock B(out) { conv(out, kernel=1) }"
                        ]

                Expect.equal (output (withFiles files main)) [ 16L; 8; 8 ] "the output's shape"

            testCase "files that import each other, or twice, are read once"
            <| fun () ->
                let files =
                    Map
                        [
                            "parts/a.cnn", "import \"b.cnn\"\nimport \"../parts/b.cnn\"\nblock A() { B() }"
                            "parts/b.cnn", "import \"a.cnn\"\nblock B() { relu }"
                        ]

                Expect.equal (output (withFiles files main)) [ 3L; 8; 8 ] "the output's shape"

            testCase "a file that imports itself is read once"
            <| fun () ->
                let files = Map [ "parts/a.cnn", "import \"../parts/a.cnn\"\nblock A() { relu }" ]
                Expect.equal (output (withFiles files main)) [ 3L; 8; 8 ] "the output's shape"

            testCase "a missing import is told once, and its blocks are not"
            <| fun () -> Expect.equal (codes (withFiles Map.empty main)) [ "E0208" ] "what is said"

            testCase "two files that declare one name are refused"
            <| fun () ->
                let files = Map [ "parts/a.cnn", "block A() { relu }\nblock N() { relu }" ]
                Expect.equal (codes (withFiles files main)) [ "E0202" ] "what is said"

            testCase "networks and recipes of an imported file are its own affair"
            <| fun () ->
                let files =
                    Map
                        [
                            "parts/a.cnn",
                            "block A() { relu }\nnetwork Other { input 3 x 8 x 8; conv(1, kernel=9) }\ntrain { }"
                        ]

                Expect.equal (output (withFiles files main)) [ 3L; 8; 8 ] "the output's shape"
        ]
