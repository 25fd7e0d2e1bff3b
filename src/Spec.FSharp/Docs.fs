/// The reference pages that are written from the compiler's tables: operators, functions, initialisers, recipes.
/// A test holds docs/ to them.
module CnnSpec.Docs

open System
open CnnSpec.Elaborate

let private written =
    "<!-- Written from the compiler's tables: dotnet fsi build.fsx docs -->"

let private page title introduction sections =
    String.concat "\n\n" ([ $"# {title}"; written; introduction ] @ sections) + "\n"

/// Text inside a table's cell.
let private cell (text: string) = text.Replace("|", "\\|")

let private parameterTable (parameters: ParameterInfo list) =
    let row (parameter: ParameterInfo) =
        let value =
            match parameter.Default with
            | None -> "required"
            | Some Nothing -> "–"
            | Some value -> $"`{Value.describe value}`"

        $"| `{parameter.Name}` | {cell (Parameter.expectation parameter.Type)} | {value} | {cell parameter.Doc} |"

    String.concat "\n" ("| parameter | takes | default | |" :: "|---|---|---|---|" :: List.map row parameters)

/// One thing that can be called: what it is, its parameters, where it comes from.
let private entry level (signature: Signature) summary reference (example: string option) =
    [
        yield $"{String('#', level)} {signature.Name}"
        yield summary

        if not signature.Parameters.IsEmpty then
            yield parameterTable signature.Parameters

        yield! example |> Option.map (fun example -> $"```cnn\n{example}\n```") |> Option.toList

        if reference <> "" then
            yield reference
    ]
    |> String.concat "\n\n"

let private operators =
    let families = Catalog.operators |> List.groupBy _.Family

    let contents =
        families
        |> List.map (fun (family, operators) ->
            let names =
                operators |> List.map (fun o -> $"[{o.Signature.Name}](#{o.Signature.Name})") |> String.concat ", "

            $"* {family}: {names}")
        |> String.concat "\n"

    let section (family: string, operators: Operator list) =
        let entries =
            operators |> List.map (fun o -> entry 3 o.Signature o.Summary o.Reference (Some o.Example))

        String.concat "\n\n" ($"## {family}" :: entries)

    page
        "Operators"
        "Every layer that a spec can name. Shapes are without the batch: `[C,H,W]` is a map, `[F]` features. The examples work on a `[16, 20, 28]` map. Arguments are given by position, in the order of the table, or by name."
        (contents :: List.map section families)

let private functions =
    let row (builtin: Builtins.Builtin) =
        $"| `{builtin.Name}` | {cell builtin.Doc} |"

    let table =
        String.concat "\n" ("| function | gives |" :: "|---|---|" :: List.map row Builtins.all)

    page "Functions" "What every expression can call. Arguments are given by position." [ table ]

let private initialisers =
    page
        "Initialisers"
        "What stands behind the `=` of an `init` rule. A number is a constant."
        (Initialisers.all |> List.map (fun i -> entry 2 i.Signature i.Summary i.Reference None))

let private recipes =
    let section title (entries: RecipeTable.Entry<'a> list) =
        $"## {title}" :: (entries |> List.map (fun e -> entry 3 e.Signature e.Summary "" None))
        |> String.concat "\n\n"

    page
        "Recipes"
        "The keys of `train { … }`, and what their values can name. Names without arguments need no parentheses."
        [
            "## Keys\n\n" + parameterTable RecipeTable.keys
            section "Data sets" RecipeTable.dataSets
            section "Pixel scaling" RecipeTable.scalings
            section "Augmentation" AugmentationTable.augmentations
            section "Optimizers" RecipeTable.optimizers
            section "Schedules" RecipeTable.schedules
            section "Losses" RecipeTable.losses
        ]

/// Path from the repository's root, and what stands there.
let pages: (string * string) list =
    [
        "docs/operators.md", operators
        "docs/functions.md", functions
        "docs/initialisers.md", initialisers
        "docs/recipes.md", recipes
    ]
