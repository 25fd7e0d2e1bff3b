namespace CnnSpec.Elaborate

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Syntax
open CnnSpec.Ir

/// What recipes are checked against.
type RecipeData =
    /// The data that each recipe names.
    | AsWritten
    /// These, instead of what each recipe names.
    | Instead of DataSource
    /// No data: nothing is trained, and the head may have any width.
    | Unused

/// What is said from outside of a spec.
type Overrides =
    {
        /// `--set name=value`: the values of parameters of the network.
        Arguments: Map<string, Expr>
        /// `--input CxHxW`.
        Input: Shape option
        /// `--data`.
        Data: RecipeData
        /// Looks at a folder of images.
        Folder: string -> FolderLook
    }

[<RequireQualifiedAccess>]
module Overrides =

    let private unknown (known: string list) name (source: Source) =
        let diagnostic =
            Diagnostic.error "E0203" (Span.create source 0 source.Text.Length) $"no network has a parameter '{name}'"

        match Suggest.nearest name known, known with
        | Some near, _ -> Diagnostic.withHelp $"did you mean '{near}'?" diagnostic
        | None, [] -> diagnostic
        | None, _ -> Diagnostic.withHelp $"""it has {String.concat ", " known}""" diagnostic

    /// The values of `--set`, parsed as the spec's expressions are; each must be a parameter of a network.
    let parse (set: (string * string) list) (networks: BlockDeclaration list) : Map<string, Expr> * Diagnostic list =
        let known = networks |> List.collect (fun n -> n.Parameters |> List.map _.Name.Name)

        let parsed =
            set
            |> List.map (fun (name, text) ->
                let source = Source.create $"--set {name}" text
                name, source, ExcerptParser.expression (Excerpt.ofSpan source 0 text.Length))

        let problems =
            parsed
            |> List.collect (fun (name, source, result) ->
                [
                    match result with
                    | Error diagnostic -> diagnostic
                    | Ok _ -> ()

                    if not (List.contains name known) then
                        unknown known name source
                ])

        let arguments =
            parsed
            |> List.choose (fun (name, _, result) -> result |> Result.toOption |> Option.map (fun expr -> name, expr))
            |> Map.ofList

        arguments, problems

/// What a network and its recipes are elaborated with.
type ElaborationContext =
    {
        Declarations: Declarations
        Constants: Map<string, Value>
        Overrides: Overrides
        /// One for each network.
        Budget: Budget
        Report: Diagnostic -> unit
    }
