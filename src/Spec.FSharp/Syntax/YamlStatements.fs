/// Bodies and statements of YAML. A body is a list of statements; a statement is a scalar (`relu`) or a map
/// whose one key says what it is (`conv: [64, kernel: 3]`, `repeat: 3` with `do: […]`).
module internal CnnSpec.Syntax.YamlStatements

open CnnSpec.Text
open CnnSpec.Syntax.YamlTree
open CnnSpec.Syntax.YamlComments
open CnnSpec.Syntax.YamlReading
open CnnSpec.Syntax.YamlItem
open YamlDotNet.Core

let rec body (reading: Reading) isBranches (node: Node) : Body option =
    match node.Kind with
    | Refused -> None
    | Sequence(isFlow, items) ->
        reading.Enter(bodyStart isFlow items node)

        let statements =
            if items.IsEmpty then
                []
            else
                eachWithin reading items _.Start (fun index item -> line reading isBranches isFlow (index = 0) item)
                |> List.concat

        Some
            {
                Statements = statements
                Trailing = trailing reading isFlow node statements.IsEmpty
                Span = reading.Span node
            }
    | _ ->
        reading.Complain
            node
            $"a body is a list of statements, and this is {describe node}"
            "write it as [relu], or one statement a line behind '-'"

        None

/// One item of a body: a statement, a line of several, or (among branches) a branch of several.
and private line reading isBranches isJoined isFirst (node: Node) : Statement list =
    match node.Kind with
    | Sequence(_, items) when not isBranches && not items.IsEmpty ->
        let first = items.Head
        let start = { first with Start = node.Start }
        // Comments above the line belong to its first statement.
        eachWithin reading (start :: items.Tail) _.Start (fun index item ->
            let item = if index = 0 then first else item
            let above = if index = 0 then reading.TakeBefore node.Start else []

            let statement =
                statement reading (isJoined || index > 0) (isFirst && index = 0) item

            let remarks = Comment.remarks isFirst above

            { statement with
                Trivia = { statement.Trivia with Above = remarks @ statement.Trivia.Above }
            })
        |> withLineEnd reading node (fun (s: Statement) -> s.Trivia) (fun trivia s -> { s with Trivia = trivia })
    | _ -> [ statement reading isJoined isFirst node ]

and private statement reading isJoined isFirst (node: Node) : Statement =
    let (kind, label, outputs), trivia =
        withTrivia reading isFirst isJoined node (fun () -> parts reading node)

    {
        Kind = kind
        Label = label
        Outputs = outputs
        Span = reading.Span node
        Trivia = trivia
    }

and private parts reading (node: Node) : StatementKind * Expr option * Ident list =
    match node.Kind with
    | Refused -> Broken, None, []
    | Sequence _ ->
        let kind = body reading false node |> Option.map Group
        Option.defaultValue Broken kind, None, []
    | Scalar _ -> apply reading node, None, []
    | Mapping(_, entries) ->
        let entries = entries |> List.map (fun (key, value) -> keyText key, key, value)
        let isMain word = companions.ContainsKey word

        let own =
            entries |> List.filter (fun (word, _, _) -> not (List.contains word common))

        let item (word, key, value) =
            {
                Word = word
                Key = key
                Value = value
                Others = entries |> List.filter (fun (_, k, _) -> k.Start <> key.Start)
                Node = node
            }

        match List.tryFind (fun (word, _, _) -> isMain word) own, own with
        | Some main, _ -> keyword reading (item main)
        | None, [ word, key, value ] ->
            let item = item (word, key, value)
            let label, outputs = labelled reading item
            layer reading item, label, outputs
        | None, [] ->
            reading.Complain node "this names no layer" "write it as label: stem and conv: [64, kernel: 3]"
            Broken, None, []
        | None, (word, key, _) :: (second, _, _) :: _ ->
            let help =
                suggestion
                    word
                    (Seq.append companions.Keys common)
                    $"arguments go in brackets, as in {word}: [64, kernel: 3]"

            reading.Complain key $"a statement is one thing, and this is '{word}' and '{second}'" help
            Broken, None, []

and private labelled reading (item: Item) =
    let label = item.TryFind "label" |> Option.bind (text reading "a label")

    let outputs =
        item.TryFind "as" |> Option.map (names reading "a tensor") |> Option.defaultValue []

    label, outputs

/// `relu` or `conv(64, kernel=3)`, written as in `.cnn`.
and private apply reading (node: Node) : StatementKind =
    match expression reading node with
    | Some { Kind = Name name; Span = span } -> Apply({ Name = name; Span = span }, None)
    | Some { Kind = Call(name, arguments) } -> Apply(name, Some arguments)
    | Some _ ->
        reading.Complain
            node
            $"a statement is a layer, and this is {describe node}"
            "write relu, or conv: [64, kernel: 3]"

        Broken
    | None -> Broken

/// `conv: [64, kernel: 3]`
and private layer reading (item: Item) : StatementKind =
    match name reading "a layer" item.Key with
    | None -> Broken
    | Some name when isNothing item.Value -> Apply(name, None)
    | Some name ->
        match arguments reading item.Value with
        | Some arguments -> Apply(name, Some arguments)
        | None -> Broken

and private keyword reading (item: Item) =
    checkOthers reading item (companions[item.Word] @ common)
    let value = item.Value
    let label, outputs = labelled reading item
    let expr node = expression reading node

    let inner isBranches node =
        within reading item node (fun () -> body reading isBranches node)

    let part word example read =
        required reading item word example |> Option.bind read

    let withArguments () =
        match item.TryFind "with" with
        | Some node -> arguments reading node
        | None -> Some []

    let index = item.TryFind "index" |> Option.bind (name reading "an index")

    let kind =
        match item.Word with
        | "input" -> dimensions reading value |> Option.map Input
        | "let" ->
            one reading value "let"
            |> Option.bind (fun (key, value) ->
                Option.map2 (fun name value -> Let(name, value)) (name reading "a value" key) (expr value))
        | "assert" ->
            let message = item.TryFind "message" |> Option.map expr

            match expr value, message with
            | Some condition, None -> Some(Assert(condition, None))
            | Some condition, Some(Some message) -> Some(Assert(condition, Some message))
            | _ -> None
        | "repeat" ->
            let count = expr value
            let inner = part "do" "[relu]" (inner false)
            Option.map2 (fun count inner -> Repeat(count, index, inner)) count inner
        | "for" ->
            let variable = name reading "the loop's variable" value
            let items = part "in" "[1, 2, 3]" expr
            let inner = part "do" "[relu]" (inner false)
            Option.map3 (fun variable items inner -> For(variable, index, items, inner)) variable items inner
        | "if" -> conditional reading item |> Option.map If
        | "group" -> inner false value |> Option.map Group
        | "aux" ->
            Option.map2 (fun arguments inner -> Auxiliary(arguments, inner)) (withArguments ()) (inner false value)
        | "from" -> name reading "a tensor" value |> Option.map From
        | "init" -> Some(Initialise(within reading item value (fun () -> settings reading value)))
        | "apply" -> Some(apply reading value)
        | word ->
            let combinator = Combinator.table |> List.find (fun (name, _) -> name = word) |> snd

            Option.map2
                (fun arguments inner -> Combine(combinator, arguments, inner))
                (withArguments ())
                (inner true value)

    Option.defaultValue Broken kind, label, outputs

and private dimensions reading (node: Node) : Expr list option =
    match node.Kind with
    | Scalar(ScalarStyle.Plain, text) when text <> "" ->
        match ExcerptParser.dimensions (Excerpt.ofSpan reading.Source node.Start node.End) with
        | Ok dimensions -> Some dimensions
        | Error diagnostic ->
            reading.Report diagnostic
            None
    | Sequence(_, items) when not items.IsEmpty -> items |> List.map (expression reading) |> whole
    | Refused -> None
    | _ ->
        reading.Complain
            node
            $"an input is channels x height x width, and this is {describe node}"
            "write input: 3 x 32 x 32"

        None

/// Branches and what is done otherwise; a map behind `else` is the next branch.
and private conditional reading (item: Item) : ((Expr * Body) list * Body option) option =
    let condition = expression reading item.Value

    let inner node =
        within reading item node (fun () -> body reading false node)

    let consequence = required reading item "then" "[relu]" |> Option.bind inner

    let first =
        Option.map2 (fun condition body -> condition, body) condition consequence

    match item.TryFind "else", first with
    | None, first -> first |> Option.map (fun first -> [ first ], None)
    | Some { Kind = Mapping(_, entries) as kind; Start = start; End = finish }, _ ->
        let node = { Kind = kind; Start = start; End = finish }
        let entries = entries |> List.map (fun (key, value) -> keyText key, key, value)

        match entries |> List.tryFind (fun (word, _, _) -> word = "if") with
        | None ->
            reading.Complain node "else is a list of statements, or a map with the next if" "write else: [relu]"
            None
        | Some(word, key, value) ->
            let next =
                {
                    Word = word
                    Key = key
                    Value = value
                    Others = entries |> List.filter (fun (word, _, _) -> word <> "if")
                    Node = node
                }

            checkOthers reading next companions["if"]
            let rest = within reading item node (fun () -> conditional reading next)
            Option.map2 (fun first (branches, otherwise) -> first :: branches, otherwise) first rest
    | Some node, _ ->
        let otherwise = inner node
        Option.map2 (fun first otherwise -> [ first ], Some otherwise) first otherwise
