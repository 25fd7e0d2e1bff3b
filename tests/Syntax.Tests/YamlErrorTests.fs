/// What a wrong YAML spec gets to hear: tests/Syntax.Tests/golden holds each with the exact answer.
/// CNNSPEC_UPDATE_GOLDEN=1 writes them anew.
module CnnSpec.Syntax.Tests.YamlErrorTests

open System
open System.IO
open CnnSpec
open CnnSpec.Text
open NUnit.Framework

let private folder = Repository.path "tests/Syntax.Tests/golden"

let private cases =
    Directory.GetFiles(folder, "*.yaml") |> Array.map Path.GetFileName |> Array.sort

[<TestCaseSource(nameof cases)>]
let ``is told exactly`` (name: string) =
    let text = File.ReadAllText(Path.Combine(folder, name))

    let options: Compile.Options =
        { Set = []; Input = None; Read = fun _ -> Error "there is no such file" }

    let said =
        Render.all Render.plain (Compile.file options (Source.create name text)).Diagnostics

    let expected = Path.Combine(folder, Path.ChangeExtension(name, ".expected"))

    if Environment.GetEnvironmentVariable "CNNSPEC_UPDATE_GOLDEN" = "1" then
        File.WriteAllText(expected, said)

    Assert.That(said, Is.EqualTo(File.ReadAllText expected))
