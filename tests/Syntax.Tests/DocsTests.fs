/// The documentation is held to the compiler: tables are what it writes, examples compile.
/// CNNSPEC_UPDATE_GOLDEN=1 writes the tables anew.
module CnnSpec.Syntax.Tests.DocsTests

open System
open System.IO
open System.Text.RegularExpressions
open CnnSpec
open CnnSpec.Elaborate
open CnnSpec.Text
open CnnSpec.Syntax
open NUnit.Framework

let private pages = Docs.pages |> List.map fst

[<TestCaseSource(nameof pages)>]
let ``a page of tables is what the compiler writes`` (path: string) =
    let _, text = Docs.pages |> List.find (fun (page, _) -> page = path)

    if Environment.GetEnvironmentVariable "CNNSPEC_UPDATE_GOLDEN" = "1" then
        File.WriteAllText(Repository.path path, text)

    Assert.That(Repository.read path, Is.EqualTo text, "run: dotnet fsi build.fsx docs")

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
        Compile.file { Set = []; Input = None; Read = read } (Source.create path text)

    compilation.Diagnostics |> List.filter Diagnostic.isError

/// Every fenced `cnn` example: the page, its line, its text.
let private examples =
    [|
        for page in Directory.GetFiles(Repository.path "docs", "*.md") do
            page

        if File.Exists(Repository.path "README.md") then
            Repository.path "README.md"
    |]
    |> Array.collect (fun page ->
        let text = File.ReadAllText page

        [|
            for found in Regex.Matches(text, "```cnn\n(.*?)```", RegexOptions.Singleline) ->
                let line = text.Substring(0, found.Index).Split('\n').Length
                [| box $"{Path.GetFileName page}:{line}"; box found.Groups[1].Value |]
        |])

[<TestCaseSource(nameof examples)>]
let ``an example compiles`` (place: string, example: string) =
    // Operators of features need a flatten, which their examples have.
    let text = if isFile example then example else wrapped example
    Assert.That(errors $"{place}.cnn" text |> Render.all Render.plain, Is.Empty)

[<TestCaseSource(nameof examples)>]
let ``an example is in its canonical form`` (place: string, example: string) =
    let text =
        if isFile example then
            example
        else
            wrapped (example.TrimEnd())

    match Compile.rewrite SpecSyntax.Cnn (Source.create $"{place}.cnn" text) with
    | Ok canonical -> Assert.That(canonical, Is.EqualTo text)
    | Error problems -> Assert.Fail(Render.all Render.plain problems)

/// The rows of the tables in docs/yaml.md that show both syntaxes.
let private pairs =
    Regex.Matches(Repository.read "docs/yaml.md", @"^\| `(.+?)` \| `(.+?)`.* \|$", RegexOptions.Multiline)
    |> Seq.map (fun found -> [| box found.Groups[1].Value; box found.Groups[2].Value |])
    |> Seq.filter (fun pair -> string pair[0] <> "YAML")
    |> Seq.toArray

[<TestCaseSource(nameof pairs)>]
let ``both syntaxes of docs yaml.md say the same`` (yaml: string, cnn: string) =
    let tree syntax path text =
        Trees.meaning (Trees.parse syntax path text)

    let same =
        if Regex.IsMatch(cnn, "^(network|block|fn|train|import) ") then
            tree SpecSyntax.Yaml "a.yaml" $"- {yaml}\n" = tree SpecSyntax.Cnn "a.cnn" cnn
        else
            tree SpecSyntax.Yaml "a.yaml" $"- network: N\n  body:\n  - {yaml}\n" =
                tree SpecSyntax.Cnn "a.cnn" $"network N {{\n{cnn}\n}}\n"

    Assert.That(same, Is.True)

[<Test>]
let ``every table is on a page`` () =
    let all = Docs.pages |> List.map snd |> String.concat "\n"
    let names = Catalog.names @ Initialisers.names @ Recipes.names

    for name in names do
        Assert.That(all, Does.Contain $"# {name}\n")
