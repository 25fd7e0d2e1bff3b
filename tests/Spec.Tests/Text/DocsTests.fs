/// The documentation is held to the compiler: tables are what it writes, examples compile.
/// `dotnet fsi build.fsx docs` writes the tables anew.
module CnnSpec.Spec.Tests.Text.DocsTests

open System
open System.IO
open System.Text.RegularExpressions
open CnnSpec
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Syntax
open CnnSpec.Elaborate
open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Spec.Tests.Testing
open Expecto

let private pages = Docs.pages |> List.map fst

/// What an example that is only some statements stands in.
let private wrapped (text: string) =
    let indented =
        text.Split '\n' |> Array.map (fun line -> "  " + line) |> String.concat "\n"

    $"network Example {{\n  input 16 x 20 x 28\n{indented}\n}}\n"

let private isFile (text: string) =
    Regex.IsMatch(text, @"^(network|block|fn|train|import)\b", RegexOptions.Multiline)

let private read (path: string) =
    if path.EndsWith "blocks.cnn" then
        Ok "block ConvBlock(out) { conv(out, kernel=3, padding=1, bias=false); batch_norm; relu }"B
    else
        Error "there is no such file"

let private errors path text =
    let compilation =
        Compile.file { CompileOptions.Alone with Read = read } (Source.create path text)

    compilation.Diagnostics |> List.filter Diagnostic.isError

/// Every fenced `cnn` example: the page, its line, its text.
let private examples =
    [|
        for page in Directory.GetFiles(Repository.path "docs", "*.md") do
            page

        Repository.path "README.md"
    |]
    |> Array.collect (fun page ->
        let text = File.ReadAllText page

        [|
            for found in Regex.Matches(text, "```cnn\n(.*?)```", RegexOptions.Singleline) ->
                let line = text.Substring(0, found.Index).Split('\n').Length
                $"{Path.GetFileName page}:{line}", found.Groups[1].Value
        |])

/// The rows of the tables in docs/yaml.md that show both syntaxes.
let private pairs =
    Regex.Matches(Repository.read "docs/yaml.md", @"^\| `(.+?)` \| `(.+?)`.* \|$", RegexOptions.Multiline)
    |> Seq.map (fun found -> found.Groups[1].Value, found.Groups[2].Value)
    |> Seq.filter (fun (yaml, _) -> yaml <> "YAML")
    |> Seq.toArray

[<Tests>]
let tests =
    testList
        "documentation"
        [
            cases "a page of tables is what the compiler writes" pages
            <| fun (path: string) ->
                let _, text = Docs.pages |> List.find (fun (page, _) -> page = path)
                Golden.holds path text

            cases "an example compiles" examples
            <| fun (place: string, example: string) ->
                // Operators of features need a flatten, which their examples have.
                let text = if isFile example then example else wrapped example

                Expect.isEmpty
                    (errors $"{place}.cnn" text |> Render.all Render.plain)
                    "errors … text Render.all Render.plain"

            cases "an example is in its canonical form" examples
            <| fun (place: string, example: string) ->
                let text =
                    if isFile example then
                        example
                    else
                        wrapped (example.TrimEnd())

                match Compile.rewrite SpecSyntax.Cnn (Source.create $"{place}.cnn" text) with
                | Ok canonical -> Expect.equal canonical text "canonical"
                | Error problems -> failtest (Render.all Render.plain problems)

            cases "both syntaxes of docs yaml.md say the same" pairs
            <| fun (yaml: string, cnn: string) ->
                let tree syntax path text =
                    Trees.meaning (Trees.parse syntax path text)

                let same =
                    if Regex.IsMatch(cnn, "^(network|block|fn|train|import) ") then
                        tree SpecSyntax.Yaml "a.yaml" $"- {yaml}\n" = tree SpecSyntax.Cnn "a.cnn" cnn
                    else
                        tree SpecSyntax.Yaml "a.yaml" $"- network: N\n  body:\n  - {yaml}\n" =
                            tree SpecSyntax.Cnn "a.cnn" $"network N {{\n{cnn}\n}}\n"

                Expect.isTrue same "same"

            testCase "every table is on a page"
            <| fun () ->
                let all = Docs.pages |> List.map snd |> String.concat "\n"
                let names = Catalog.names @ Initialisers.names @ Recipes.names

                for name in names do
                    Expect.stringContains all $"# {name}\n" "all"
        ]
