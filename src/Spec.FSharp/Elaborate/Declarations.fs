namespace CnnSpec.Elaborate

open CnnSpec.Text
open CnnSpec.Syntax

type BlockDeclaration = { Name: Ident; Parameters: Parameter list; Body: Body }

type TrainDeclaration = { Name: string; Settings: Setting list; Span: Span }

/// A file's declarations together with those it imports.
type Declarations =
    {
        Functions: Map<string, FunctionDeclaration>
        Constants: (Ident * Expr) list
        Blocks: Map<string, BlockDeclaration>
        /// Only those of the file itself: what an imported file builds and trains is its own affair.
        Networks: BlockDeclaration list
        Recipes: TrainDeclaration list
    }

[<RequireQualifiedAccess>]
module Declarations =

    let private named (declaration: Declaration) =
        match declaration.Kind with
        | Constant(name, _)
        | Function(name, _, _)
        | Block(name, _, _)
        | Network(name, _, _) -> Some name
        | Import _
        | Train _ -> None

    /// Names must be unique across a file and what it imports, and not those of operators: a spec that reads
    /// `conv(…)` means the operator everywhere.
    let private duplicates isReserved (declarations: Declaration list) =
        let names = declarations |> List.choose named

        let reserved =
            names
            |> List.filter (fun name -> isReserved name.Name)
            |> List.map (fun name ->
                Diagnostic.error "E0202" name.Span $"'{name.Name}' is already the name of something built in"
                |> Diagnostic.withHelp "choose another name")

        let doubled =
            names
            |> List.groupBy _.Name
            |> List.collect (fun (_, group) ->
                group.Tail
                |> List.map (fun name ->
                    Diagnostic.error "E0202" name.Span $"'{name.Name}' is declared twice"
                    |> Diagnostic.withRelated [ { Span = group.Head.Span; Text = "first declared here" } ]))

        List.truncate Diagnostic.most (reserved @ doubled)

    let private doubledParameters (declarations: Declaration list) =
        declarations
        |> List.collect (fun declaration ->
            match declaration.Kind with
            | Function(_, parameters, _)
            | Block(_, parameters, _)
            | Network(_, parameters, _) ->
                parameters
                |> List.groupBy _.Name.Name
                |> List.collect (fun (name, group) ->
                    group.Tail
                    |> List.map (fun p ->
                        Diagnostic.error "E0202" p.Name.Span $"the parameter '{name}' is declared twice"))
            | _ -> [])

    /// `own` are the file's declarations, `imported` those of all files it imports, however far.
    let collect isReserved (own: Declaration list) (imported: Declaration list) : Declarations * Diagnostic list =
        let all = imported @ own

        let declarations =
            {
                Functions =
                    all
                    |> List.choose (fun d ->
                        match d.Kind with
                        | Function(name, parameters, body) ->
                            Some(
                                name.Name,
                                ({ Name = name; Parameters = parameters; Body = body }: FunctionDeclaration)
                            )
                        | _ -> None)
                    |> Map.ofList
                Constants =
                    all
                    |> List.choose (fun d ->
                        match d.Kind with
                        | Constant(name, value) -> Some(name, value)
                        | _ -> None)
                Blocks =
                    all
                    |> List.choose (fun d ->
                        match d.Kind with
                        | Block(name, parameters, body) ->
                            Some(name.Name, { Name = name; Parameters = parameters; Body = body })
                        | _ -> None)
                    |> Map.ofList
                Networks =
                    own
                    |> List.choose (fun d ->
                        match d.Kind with
                        | Network(name, parameters, body) -> Some { Name = name; Parameters = parameters; Body = body }
                        | _ -> None)
                Recipes =
                    own
                    |> List.choose (fun d ->
                        match d.Kind with
                        | Train(name, settings, _) ->
                            Some
                                {
                                    Name = name |> Option.fold (fun _ n -> n.Name) "train"
                                    Settings = settings
                                    Span = d.Span
                                }
                        | _ -> None)
            }

        let doubledRecipes =
            declarations.Recipes
            |> List.groupBy _.Name
            |> List.collect (fun (name, group) ->
                group.Tail
                |> List.map (fun r ->
                    Diagnostic.error
                        "E0202"
                        { r.Span with End = r.Span.Start + 5 }
                        $"there are two recipes called '{name}'"
                    |> Diagnostic.withHelp "name them: train short { … }"))

        declarations, duplicates isReserved all @ doubledParameters all @ doubledRecipes

    /// A file that was read and has nothing in it.
    let refuseEmpty (file: File) (syntaxErrors: Diagnostic list) =
        [
            if file.Declarations.IsEmpty && syntaxErrors.IsEmpty then
                Diagnostic.error "E0106" (Span.create file.Source 0 0) "there is nothing in this file"
                |> Diagnostic.withHelp "a spec begins with 'network Name { input 3 x 32 x 32 …'"
        ]

    /// The values of the constants, each seeing those above it.
    let constants (declarations: Declarations) budget report : Map<string, Value> =
        (Map.empty, declarations.Constants)
        ||> List.fold (fun known (name, expr) ->
            let context: EvaluationContext =
                {
                    Functions = declarations.Functions
                    Constants = known
                    IsConstruction =
                        fun name -> Map.containsKey name declarations.Blocks || (Catalog.tryFind name).IsSome
                    Ambient = fun _ _ -> None
                    Candidates = fun () -> known |> Map.toSeq |> Seq.map fst
                    Report = report
                    Budget = budget
                }

            Map.add name.Name (Evaluate.value context Map.empty expr) known)
