namespace CnnSpec.Spec.Tests.Elaborate

open NUnit.Framework
open CnnSpec
open CnnSpec.Spec.Tests.Compiling

/// What the command line changes in a spec, and the files that a spec imports.
[<TestFixture>]
type OptionTests() =

    let spec =
        "network N(width = 4, act = relu) { input 3 x 8 x 8; conv(width, kernel=3, padding=1); act }"

    let withSet set =
        compileWith { alone with Set = set } spec

    let output (compilation: Compile.Compilation) =
        Assert.That(rendered compilation, Is.Empty)
        Ir.Program.outputShape (List.exactlyOne compilation.Networks).Program

    let withFiles files text =
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

    let main = "import \"parts/a.cnn\"\nnetwork N { input 3 x 8 x 8; A() }"

    [<Test>]
    member _.``set changes a parameter, with any expression``() =
        Assert.That(output (withSet [ "width", "2 ** 5" ]), Is.EqualTo<int64 list> [ 32L; 8; 8 ])
        Assert.That(output (withSet [ "act", "max_pool(2)" ]), Is.EqualTo<int64 list> [ 4L; 4; 4 ])

    [<Test>]
    member _.``set of an unknown parameter names the one that was meant``() =
        let compilation = withSet [ "widht", "8" ]
        Assert.That(codes compilation, Is.EqualTo<string list> [ "E0203" ])
        Assert.That(rendered compilation, Does.Contain "did you mean 'width'?")

    [<TestCase("2 +")>]
    [<TestCase("")>]
    [<TestCase("8 8")>]
    member _.``set of something that is no expression is a diagnostic at its place``(text: string) =
        let compilation = withSet [ "width", text ]
        Assert.That(codes compilation, Is.EqualTo<string list> [ "E0101" ])
        Assert.That(rendered compilation, Does.Contain "--set width")

    [<Test>]
    member _.``input replaces the spec's own``() =
        let compilation = compileWith { alone with Input = Some [ 1L; 28; 20 ] } spec
        Assert.That(output compilation, Is.EqualTo<int64 list> [ 4L; 28; 20 ])

    [<Test>]
    member _.``an import brings blocks, functions and constants, and paths are relative to the importing file``() =
        let files =
            Map
                [
                    "parts/a.cnn", "import \"more/b.cnn\"\nblock A() { B(twice(size)) }"
                    "parts/more/b.cnn", "let size = 8\nfn twice(n) = 2 * n\nblock B(out) { conv(out, kernel=1) }"
                ]

        Assert.That(output (withFiles files main), Is.EqualTo<int64 list> [ 16L; 8; 8 ])

    [<Test>]
    member _.``files that import each other, or twice, are read once``() =
        let files =
            Map
                [
                    "parts/a.cnn", "import \"b.cnn\"\nimport \"../parts/b.cnn\"\nblock A() { B() }"
                    "parts/b.cnn", "import \"a.cnn\"\nblock B() { relu }"
                ]

        Assert.That(output (withFiles files main), Is.EqualTo<int64 list> [ 3L; 8; 8 ])

    [<Test>]
    member _.``a file that imports itself is read once``() =
        let files = Map [ "parts/a.cnn", "import \"../parts/a.cnn\"\nblock A() { relu }" ]
        Assert.That(output (withFiles files main), Is.EqualTo<int64 list> [ 3L; 8; 8 ])

    [<Test>]
    member _.``a missing import is told once, and its blocks are not``() =
        Assert.That(codes (withFiles Map.empty main), Is.EqualTo<string list> [ "E0208" ])

    [<Test>]
    member _.``two files that declare one name are refused``() =
        let files = Map [ "parts/a.cnn", "block A() { relu }\nblock N() { relu }" ]
        Assert.That(codes (withFiles files main), Is.EqualTo<string list> [ "E0202" ])

    [<Test>]
    member _.``networks and recipes of an imported file are its own affair``() =
        let files =
            Map
                [
                    "parts/a.cnn", "block A() { relu }\nnetwork Other { input 3 x 8 x 8; conv(1, kernel=9) }\ntrain { }"
                ]

        Assert.That((output (withFiles files main)), Is.EqualTo<int64 list> [ 3L; 8; 8 ])
