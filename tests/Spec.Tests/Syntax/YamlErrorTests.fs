/// What a wrong YAML spec gets to hear: tests/Spec.Tests/golden/yaml holds each with the exact answer.
module CnnSpec.Spec.Tests.Syntax.YamlErrorTests

open System.IO
open CnnSpec
open CnnSpec.Text
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private wrong = Repository.files "tests/Spec.Tests/golden/yaml" "*.yaml"

[<Tests>]
let tests =
    testList
        "errors in YAML"
        [
            cases "a wrong spec gets these words" wrong
            <| fun (file: string) ->
                let source = Source.create (Path.GetFileName file) (Repository.read file)
                Golden.holds (Path.ChangeExtension(file, ".expected")) (rendered (Compile.file alone source))
        ]
