/// The files that a spec imports, and those that they import.
module CnnSpec.Elaborate.Imports

open System
open System.Collections.Generic
open CnnSpec.Text
open CnnSpec.Syntax

/// A spec with its blocks needs a few files.
let private mostFiles = 1_000

/// The path of a file or folder that a spec names, from where the spec's own path begins. `a/../b` is `b`, so that a file
/// is known again.
let resolve (from: string) (path: string) =
    let directory =
        match from.LastIndexOfAny [| '/'; '\\' |] with
        | -1 -> ""
        | at -> from.Substring(0, at + 1)

    let full = if IO.Path.IsPathRooted path then path else directory + path

    let folders =
        ([], full.Split '/')
        ||> Array.fold (fun kept part ->
            match part, kept with
            | ".", _ -> kept
            | "..", above :: rest when above <> ".." && above <> "" -> rest
            | _ -> part :: kept)

    String.Join('/', List.rev folders)

let private unreadable (span: Span) path reason =
    Diagnostic.error "E0208" span $"\"{path}\" cannot be imported: {reason}"
    |> Diagnostic.withHelp "the path is relative to the file that imports"

/// The declarations of all files that this one imports, each file once, and what is wrong with them.
let declarations (read: string -> Result<byte[], string>) (file: File) : Declaration list * Diagnostic list =
    let visited = HashSet [ file.Source.Path ]
    let declarations = ResizeArray<Declaration>()
    let diagnostics = ResizeArray<Diagnostic>()
    let mutable tooMany: Span option = None

    let rec visit depth (file: File) =
        for declaration in file.Declarations do
            match declaration.Kind with
            | Import(path, span) -> follow depth file path span
            | _ -> ()

    and follow depth (file: File) path span =
        let full = resolve file.Source.Path path

        if depth > Budget.DeepestCalls then
            diagnostics.Add(Diagnostic.error "E0208" span $"imports nest more than {Budget.DeepestCalls} deep")
        elif visited.Count > mostFiles then
            tooMany <- Some span
        elif visited.Add full then
            match read full with
            | Error reason -> diagnostics.Add(unreadable span path reason)
            | Ok bytes ->
                match SourceFile.ofBytes full bytes with
                | Error problem -> diagnostics.Add(unreadable span path problem.Message)
                | Ok source ->
                    let imported, problems = SpecSyntax.parse source
                    diagnostics.AddRange problems
                    visit (depth + 1) imported
                    declarations.AddRange imported.Declarations

    visit 0 file

    tooMany
    |> Option.iter (fun span ->
        diagnostics.Add(Diagnostic.error "E0208" span $"this spec imports more than {mostFiles} files"))

    List.ofSeq declarations, List.ofSeq diagnostics
