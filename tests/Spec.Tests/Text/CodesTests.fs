/// Every diagnostic has a page, and its examples do what the page says.
module CnnSpec.Spec.Tests.Text.CodesTests

open System.IO
open System.Text.RegularExpressions
open CnnSpec
open CnnSpec.Text
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Testing
open Expecto

let private all = Codes.Table.all |> List.map _.Code

/// Every code that a source of the compiler writes down, apart from the table itself.
let private emitted =
    Directory.GetFiles(Repository.path "src/Spec.FSharp", "*.fs", SearchOption.AllDirectories)
    |> Seq.filter (fun file -> not (file.Contains "Codes" || file.EndsWith "Explain.fs"))
    |> Seq.collect (fun file ->
        Regex.Matches(File.ReadAllText file, "\"([EW]0[0-9]{3})\"") |> Seq.map (fun m -> m.Groups[1].Value))
    |> Seq.distinct
    |> Seq.sort
    |> Seq.toList

let private explanation code = (Codes.Table.tryFind code).Value

[<Tests>]
let tests =
    testList
        "diagnostic codes"
        [
            testCase "every code that the compiler emits is explained, and nothing else is"
            <| fun () -> Expect.equal (all |> List.sort) emitted "the codes"

            testCase "codes are listed in order, each once"
            <| fun () -> Expect.equal all (all |> List.distinct) "the codes"

            cases "the wrong example gets this code and no other" all
            <| fun (code: string) ->
                let found = Explain.compile code (explanation code).Wrong |> List.map _.Code
                Expect.equal found [ code ] "what is said"

            cases "the mended example compiles without a word" all
            <| fun (code: string) ->
                let said = Explain.compile code (explanation code).Right
                Expect.isEmpty (Render.all Render.plain said) "what is said"

            cases "the page in docs is what explain prints" all
            <| fun (code: string) -> Golden.holds $"docs/errors/{code}.md" (Explain.page (explanation code))

            testCase "docs list every page, and hold no page of a code that is gone"
            <| fun () ->
                Golden.holds "docs/errors/README.md" Explain.index

                let pages =
                    Directory.GetFiles(Repository.path "docs/errors", "*.md")
                    |> Seq.map Path.GetFileNameWithoutExtension
                    |> Seq.filter ((<>) "README")
                    |> Seq.sort
                    |> Seq.toList

                Expect.equal pages all "the codes"

            cases "a code is found in either case" [ "e0301", "E0301"; "E0301", "E0301" ]
            <| fun (asked: string, found: string) ->
                Expect.equal ((Codes.Table.tryFind asked).Value.Code) found "the code"

            testCase "a code that does not exist gets the nearest one that does"
            <| fun () -> Expect.equal (Codes.Table.nearest "E0031") (Some "E0301") "the nearest code"
        ]
