namespace CnnSpec.Spec.Tests.Text

open System.IO
open System.Text.RegularExpressions
open NUnit.Framework
open CnnSpec
open CnnSpec.Text
open CnnSpec.Spec.Tests

[<TestFixture>]
type CodesTests() =

    static member All = Codes.Table.all |> List.map _.Code

    /// Every code that a source of the compiler writes down, apart from the table itself.
    static member Emitted =
        Directory.GetFiles(Repository.path "src/Spec.FSharp", "*.fs", SearchOption.AllDirectories)
        |> Seq.filter (fun file -> not (file.Contains "Codes" || file.EndsWith "Explain.fs"))
        |> Seq.collect (fun file ->
            Regex.Matches(File.ReadAllText file, "\"([EW]0[0-9]{3})\"") |> Seq.map (fun m -> m.Groups[1].Value))
        |> Seq.distinct
        |> Seq.sort
        |> Seq.toList

    member private _.Explanation code = (Codes.Table.tryFind code).Value

    [<Test>]
    member _.``every code that the compiler emits is explained, and nothing else is``() =
        Assert.That(CodesTests.All |> List.sort, Is.EqualTo<string list> CodesTests.Emitted)

    [<Test>]
    member _.``codes are listed in order, each once``() =
        Assert.That(CodesTests.All, Is.EqualTo<string list>(CodesTests.All |> List.distinct))

    [<TestCaseSource(nameof CodesTests.All)>]
    member this.``the wrong example gets this code and no other``(code: string) =
        let found = Explain.compile code (this.Explanation code).Wrong |> List.map _.Code
        Assert.That(found, Is.EqualTo<string list> [ code ])

    [<TestCaseSource(nameof CodesTests.All)>]
    member this.``the mended example compiles without a word``(code: string) =
        let said = Explain.compile code (this.Explanation code).Right
        Assert.That(Render.all Render.plain said, Is.Empty)

    [<TestCaseSource(nameof CodesTests.All)>]
    member this.``the page in docs is what explain prints``(code: string) =
        Golden.holds $"docs/errors/{code}.md" (Explain.page (this.Explanation code))

    [<Test>]
    member _.``docs list every page, and hold no page of a code that is gone``() =
        Golden.holds "docs/errors/README.md" Explain.index

        let pages =
            Directory.GetFiles(Repository.path "docs/errors", "*.md")
            |> Seq.map Path.GetFileNameWithoutExtension
            |> Seq.filter ((<>) "README")
            |> Seq.sort
            |> Seq.toList

        Assert.That(pages, Is.EqualTo<string list> CodesTests.All)

    [<TestCase("e0301", "E0301")>]
    [<TestCase("E0301", "E0301")>]
    member _.``a code is found in either case``(asked: string, found: string) =
        Assert.That((Codes.Table.tryFind asked).Value.Code, Is.EqualTo found)

    [<Test>]
    member _.``a code that does not exist gets the nearest one that does``() =
        Assert.That(Codes.Table.nearest "E0031", Is.EqualTo(Some "E0301"))
