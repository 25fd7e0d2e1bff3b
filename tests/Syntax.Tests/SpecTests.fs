/// Every spec of the repository in both syntaxes.
module CnnSpec.Syntax.Tests.SpecTests

open System.IO
open CnnSpec
open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Ir
open NUnit.Framework

let private specs = Repository.specs ".cnn"
let private yamls = Repository.specs ".yaml"

let private must result =
    match result with
    | Ok text -> text
    | Error problems -> failwith (Render.all Render.plain problems)

let private rewrite syntax path text =
    must (Compile.rewrite syntax (Source.create path text))

/// What a spec compiles to: its networks and recipes as JSON, its diagnostics by code and message.
let private compile path text =
    let options: Compile.Options =
        {
            Set = []
            Input = None
            Read =
                fun name ->
                    let file = Repository.path name

                    if File.Exists file then
                        Ok(File.ReadAllBytes file)
                    else
                        Error "there is no such file"
        }

    let compilation = Compile.file options (Source.create path text)

    compilation.Networks
    |> List.map (fun network ->
        // Only the lines of the file differ.
        let nodes = network.Program.Nodes |> List.map (fun node -> { node with Line = 0 })
        (IrJson.toJson { network.Program with Nodes = nodes }).ToJsonString(), network.Recipes),
    compilation.Diagnostics |> List.map (fun d -> d.Code, d.Message)

[<TestCaseSource(nameof specs)>]
let ``is in its canonical form`` (path: string) =
    let text = Repository.read path
    Assert.That(rewrite SpecSyntax.Cnn path text, Is.EqualTo text, "run: cnnspec fmt specs")

[<TestCaseSource(nameof yamls)>]
let ``YAML is in its canonical form`` (path: string) =
    let text = Repository.read path
    Assert.That(rewrite SpecSyntax.Yaml path text, Is.EqualTo text, "run: cnnspec fmt specs")

[<TestCaseSource(nameof specs)>]
let ``goes to YAML and back`` (path: string) =
    let text = Repository.read path
    let yaml = rewrite SpecSyntax.Yaml path text
    Assert.That(rewrite SpecSyntax.Cnn (path + ".yaml") yaml, Is.EqualTo text, yaml)
    Assert.That(rewrite SpecSyntax.Yaml (path + ".yaml") yaml, Is.EqualTo yaml)

[<TestCaseSource(nameof specs)>]
let ``compiles from YAML to the same networks`` (path: string) =
    let text = Repository.read path
    let networks, said = compile path text

    let fromYaml, saidOfYaml =
        compile (path + ".yaml") (rewrite SpecSyntax.Yaml path text)

    Assert.That((fromYaml = networks), Is.True, path)
    Assert.That(List.map fst saidOfYaml, Is.EqualTo<string list>(List.map fst said))

[<Test>]
let ``the YAML of DenseNet is what convert writes`` () =
    let expected =
        rewrite SpecSyntax.Yaml "specs/densenet.cnn" (Repository.read "specs/densenet.cnn")

    Assert.That(Repository.read "specs/yaml/densenet.yaml", Is.EqualTo expected)
