/// Every spec of the repository in both syntaxes.
module CnnSpec.Spec.Tests.Syntax.SpecTests

open System.IO
open CnnSpec
open CnnSpec.Spec.Tests
open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Ir
open CnnSpec.Spec.Tests.Testing
open Expecto

let private specs = Repository.specs "specs"
let private yamls = Repository.files "specs" "*.yaml"

let private must result =
    match result with
    | Ok text -> text
    | Error problems -> failwith (Render.all Render.plain problems)

let private rewrite syntax path text =
    must (Compile.rewrite syntax (Source.create path text))

/// What a spec compiles to: its networks and recipes as JSON, its diagnostics by code and message.
let private compile path text =
    let read name =
        let file = Repository.path name

        if File.Exists file then
            Ok(File.ReadAllBytes file)
        else
            Error "there is no such file"

    let options = { CompileOptions.Alone with Read = read }
    let compilation = Compile.file options (Source.create path text)

    compilation.Networks
    |> List.map (fun network ->
        // Only the lines of the file differ.
        let nodes = network.Program.Nodes |> List.map (fun node -> { node with Line = 0 })
        (IrJson.toJson { network.Program with Nodes = nodes }).ToJsonString(), network.Recipes),
    compilation.Diagnostics |> List.map (fun d -> d.Code, d.Message)

[<Tests>]
let tests =
    testList
        "specs in both syntaxes"
        [
            cases "is in its canonical form" specs
            <| fun (path: string) ->
                let text = Repository.read path
                Expect.equal (rewrite SpecSyntax.Cnn path text) text "run: cnnspec fmt specs"

            cases "YAML is in its canonical form" yamls
            <| fun (path: string) ->
                let text = Repository.read path
                Expect.equal (rewrite SpecSyntax.Yaml path text) text "run: cnnspec fmt specs"

            cases "goes to YAML and back" specs
            <| fun (path: string) ->
                let text = Repository.read path
                let yaml = rewrite SpecSyntax.Yaml path text
                Expect.equal (rewrite SpecSyntax.Cnn (path + ".yaml") yaml) text yaml
                Expect.equal (rewrite SpecSyntax.Yaml (path + ".yaml") yaml) yaml "the canonical form"

            cases "compiles from YAML to the same networks" specs
            <| fun (path: string) ->
                let text = Repository.read path
                let networks, said = compile path text

                let fromYaml, saidOfYaml =
                    compile (path + ".yaml") (rewrite SpecSyntax.Yaml path text)

                Expect.isTrue (fromYaml = networks) path
                Expect.equal (List.map fst saidOfYaml) (List.map fst said) "what is said"

            testCase "the YAML of DenseNet is what convert writes"
            <| fun () ->
                let expected =
                    rewrite SpecSyntax.Yaml "specs/densenet.cnn" (Repository.read "specs/densenet.cnn")

                Expect.equal (Repository.read "specs/yaml/densenet.yaml") expected "the file"
        ]
