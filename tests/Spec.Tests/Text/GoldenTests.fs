/// Wrong specs and every word that the compiler says about them.
module CnnSpec.Spec.Tests.Text.GoldenTests

open System.IO
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private wrong =
    Repository.specs "tests/Spec.Tests/golden" |> List.filter (fun s -> not (s.Contains "/parts/"))

let private mistakes = Repository.specs "specs/mistakes"

/// A mistake's page entry: its story (the comment above it), the spec, and the message.
let private entry (file: string) =
    let lines = File.ReadAllLines(Repository.path file) |> Array.toList
    let isComment (line: string) = line.StartsWith "//"

    let story =
        lines |> List.takeWhile isComment |> List.map (fun line -> line.Substring(2).Trim())

    let spec = lines |> List.skipWhile isComment |> String.concat "\n"
    let said = rendered (compileFile file)
    let title = (Path.GetFileNameWithoutExtension file).Replace('-', ' ')
    let words = String.concat "\n" story

    $"## {title}\n\n{words}\n\n[{file}](../{file})\n\n```\n{spec.Trim()}\n```\n\n```\n{said.TrimEnd()}\n```\n"

[<Tests>]
let tests =
    testList
        "wording"
        [
            cases "a wrong spec gets these words" wrong
            <| fun (file: string) ->
                Golden.holds (Path.ChangeExtension(file, ".expected")) (rendered (compileFile file))

            cases "a mistake that people make is refused" mistakes
            <| fun (file: string) -> Expect.isTrue ((compileFile file).HasErrors) $"{file} compiles"

            testCase "the page of mistakes shows what the compiler says today"
            <| fun () ->
                let heading =
                    "# Mistakes that people make\n\n"
                    + "Each of these specs is refused by `cnnspec check`, before anything runs.\n"

                Golden.holds "docs/mistakes.md" (heading :: List.map entry mistakes |> String.concat "\n")
        ]
