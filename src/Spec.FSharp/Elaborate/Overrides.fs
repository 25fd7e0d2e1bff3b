namespace CnnSpec.Elaborate

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Syntax

/// Settings from outside: `--set name=value` and `--input CxHxW`.
type Overrides = { Arguments: Map<string, Expr>; Input: Shape option }

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
    let parse (set: (string * string) list) input (networks: BlockDeclaration list) : Overrides * Diagnostic list =
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

        { Arguments = arguments; Input = input }, problems

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
