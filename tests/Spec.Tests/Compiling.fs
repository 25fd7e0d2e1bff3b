/// Text to what the compiler makes of it.
module CnnSpec.Spec.Tests.Compiling

open System.IO
open Expecto
open CnnSpec
open CnnSpec.Text

let alone = CompileOptions.Alone

let compileWith options text =
    Compile.file options (Source.create "spec.cnn" text)

let compile text = compileWith alone text

/// The spec at a path from the repository's root, with the files it imports.
let compileFile (file: string) =
    let read (name: string) =
        match Repository.path name with
        | found when File.Exists found -> Ok(File.ReadAllBytes found)
        | _ -> Error "there is no such file"

    Compile.file { alone with Read = read } (Source.create file (File.ReadAllText(Repository.path file)))

let codes (compilation: Compile.Compilation) =
    compilation.Diagnostics |> List.map _.Code

let rendered (compilation: Compile.Compilation) =
    Render.all Render.plain compilation.Diagnostics

/// The one network of a spec that must be right.
let network text =
    let compilation = compile text

    if compilation.HasErrors then
        failtest (rendered compilation)

    List.exactlyOne compilation.Networks

/// A network around some statements.
let inNetwork input body =
    $"network N {{\n  input {input}\n{body}\n}}\n"

let program text = (network text).Program

let outputOf input body =
    CnnSpec.Ir.Program.outputShape (program (inNetwork input body))

/// The names of all weights, in the order of the layers.
let weightNames text =
    (program text).Nodes |> List.collect (fun node -> node.Weights |> List.map _.Name)

/// The spec is refused with exactly these codes, in this order.
let refused (expected: string list) text =
    let compilation = compile text
    Expect.equal (codes compilation) expected (rendered compilation)
