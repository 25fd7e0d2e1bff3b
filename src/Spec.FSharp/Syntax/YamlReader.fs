/// YAML of the language: the same tree as `.cnn`, from lists and maps. A file is a list of declarations, each a
/// map whose one key says what it is. Plain scalars are expressions, quoted ones are text. docs/yaml.md has it all.
module internal CnnSpec.Syntax.YamlReader

open CnnSpec.Text
open CnnSpec.Syntax.YamlTree
open CnnSpec.Syntax.YamlComments
open CnnSpec.Syntax.YamlReading
open CnnSpec.Syntax.YamlItem
open CnnSpec.Syntax.YamlStatements

let private declarationKeys =
    dict
        [
            "import", []
            "let", []
            "fn", [ "parameters"; "let"; "returns" ]
            "block", [ "parameters"; "body" ]
            "network", [ "parameters"; "body" ]
            "train", [ "name" ]
        ]

/// The value that a function returns, under the names it gives on the way.
let private functionBody reading (item: Item) : Expr option =
    let result =
        required reading item "returns" "2 * x" |> Option.bind (expression reading)

    let bindings =
        match item.TryFind "let" with
        | None -> []
        | Some { Kind = Sequence(_, items) } -> items |> List.map (fun node -> one reading node "let")
        | Some({ Kind = Mapping(_, entries) }) -> entries |> List.map Some
        | Some node -> [ one reading node "let" ]

    let bound =
        bindings
        |> List.map (
            Option.bind (fun (key, value) ->
                Option.map2 (fun name value -> name, value) (name reading "a value" key) (expression reading value))
        )
        |> whole

    let bind (name: Ident, value) rest : Expr =
        { Kind = LetIn(name, value, rest); Span = name.Span }

    Option.map2 (List.foldBack bind) bound result

let private declarationKind reading (item: Item) : DeclarationKind option =
    checkOthers reading item declarationKeys[item.Word]

    let ps () =
        item.TryFind "parameters" |> Option.map (parameters reading) |> Option.defaultValue []

    let inner () =
        required reading item "body" "[input: 3 x 32 x 32, relu]"
        |> Option.bind (fun node -> within reading item node (fun () -> body reading false node))

    match item.Word with
    | "import" ->
        match text reading "a path" item.Value with
        | Some { Kind = StringLiteral [ Literal path ]; Span = span } -> Some(Import(path, span))
        | Some expr ->
            reading.Report(Diagnostic.error "E0101" expr.Span "an import names its file with a plain string")
            None
        | None -> None
    | "let" ->
        one reading item.Value "let"
        |> Option.bind (fun (key, value) ->
            Option.map2
                (fun name value -> Constant(name, value))
                (name reading "a value" key)
                (expression reading value))
    | "train" ->
        let label = item.TryFind "name" |> Option.bind (name reading "a recipe")

        let settings, trailing =
            within reading item item.Value (fun () -> settings reading item.Value)

        Some(Train(label, settings, trailing))
    | word ->
        let name = name reading $"a {word}" item.Value
        let ps = ps ()

        match word with
        | "fn" -> Option.map2 (fun name value -> Function(name, ps, value)) name (functionBody reading item)
        | "block" -> Option.map2 (fun name inner -> Block(name, ps, inner)) name (inner ())
        | _ -> Option.map2 (fun name inner -> Network(name, ps, inner)) name (inner ())

let private declaration (reading: Reading) isJoined isFirst (node: Node) : Declaration option =
    let kind, trivia =
        withTrivia reading isFirst isJoined node (fun () ->
            match node.Kind with
            | Refused -> None
            | Mapping(_, entries) ->
                let entries = entries |> List.map (fun (key, value) -> keyText key, key, value)

                // A function has a `let`, too.
                let isMain (word, _, _) =
                    declarationKeys.ContainsKey word && word <> "let"

                match
                    List.tryFind isMain entries
                    |> Option.orElse (List.tryFind (fun (word, _, _) -> word = "let") entries),
                    entries
                with
                | Some(word, key, value), _ ->
                    declarationKind
                        reading
                        {
                            Word = word
                            Key = key
                            Value = value
                            Others = entries |> List.filter (fun (_, k, _) -> k.Start <> key.Start)
                            Node = node
                        }
                    |> Option.map (fun kind -> key.Start, kind)
                | None, (word, key, _) :: _ ->
                    let known = String.concat ", " declarationKeys.Keys

                    reading.Complain
                        key
                        $"'{word}' declares nothing"
                        (suggestion word declarationKeys.Keys $"known are {known}")

                    None
                | None, [] ->
                    reading.Complain node "this declares nothing" "write network: Name, with a body"
                    None
            | _ ->
                reading.Complain
                    node
                    $"a declaration is a map, and this is {describe node}"
                    "write network: Name, with a body"

                None)

    kind
    |> Option.map (fun (key, kind) -> { Kind = kind; Span = Span.create reading.Source key node.End; Trivia = trivia })

/// Every declaration that can be read, and a diagnostic for everything that cannot.
let parse (source: Source) : File * Diagnostic list =
    let root, problems = YamlTree.parse source
    let reading = Reading(source, YamlScalar.comments source root)

    let declarations =
        match root with
        | None
        | Some { Kind = Refused } -> []
        | Some { Kind = Sequence(_, items) } when not items.IsEmpty ->
            let isFirst index = index = 0

            eachWithin reading items _.Start (fun index item ->
                match item.Kind with
                | Sequence(_, (_ :: _ as line)) ->
                    line
                    |> List.mapi (fun at item -> declaration reading (at > 0) (isFirst index && at = 0) item)
                    |> List.choose id
                    |> withLineEnd reading item (fun (d: Declaration) -> d.Trivia) (fun trivia d ->
                        { d with Trivia = trivia })
                | _ -> declaration reading false (isFirst index) item |> Option.toList)
            |> List.concat
        | Some { Kind = Sequence _ } -> []
        | Some node ->
            reading.Complain
                node
                $"a spec is a list of declarations, and this is {describe node}"
                "begin each with a dash: - network: LeNet"

            []

    let trailing =
        reading.TakeWhile(fun _ -> true) |> Comment.remarks (List.isEmpty declarations) |> Comment.trailing

    { Source = source; Declarations = declarations; Trailing = trailing }, problems @ reading.Diagnostics
