namespace CnnSpec.Spec.Tests.Text

open System.IO
open NUnit.Framework
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling

/// Wrong specs and every word that the compiler says about them.
[<TestFixture>]
type GoldenTests() =

    static member Wrong =
        Repository.specs "tests/Spec.Tests/golden" |> List.filter (fun s -> not (s.Contains "/parts/"))

    static member Mistakes = Repository.specs "specs/mistakes"

    /// A mistake's page entry: its story (the comment above it), the spec, and the message.
    static member private Entry(file: string) =
        let lines = File.ReadAllLines(Repository.path file) |> Array.toList
        let isComment (line: string) = line.StartsWith "//"

        let story =
            lines |> List.takeWhile isComment |> List.map (fun line -> line.Substring(2).Trim())

        let spec = lines |> List.skipWhile isComment |> String.concat "\n"
        let said = rendered (compileFile file)
        let title = (Path.GetFileNameWithoutExtension file).Replace('-', ' ')
        let words = String.concat "\n" story

        $"## {title}\n\n{words}\n\n[{file}](../{file})\n\n```\n{spec.Trim()}\n```\n\n```\n{said.TrimEnd()}\n```\n"

    [<TestCaseSource(nameof GoldenTests.Wrong)>]
    member _.``a wrong spec gets these words``(file: string) =
        Golden.holds (Path.ChangeExtension(file, ".expected")) (rendered (compileFile file))

    [<TestCaseSource(nameof GoldenTests.Mistakes)>]
    member _.``a mistake that people make is refused``(file: string) =
        Assert.That((compileFile file).HasErrors, $"{file} compiles")

    [<Test>]
    member _.``the page of mistakes shows what the compiler says today``() =
        let heading =
            "# Mistakes that people make\n\n"
            + "Each of these specs is refused by `cnnspec check`, before anything runs.\n"

        Golden.holds
            "docs/mistakes.md"
            (heading :: List.map GoldenTests.Entry GoldenTests.Mistakes |> String.concat "\n")
