/// The YAML dress of the language: the same tree as `.cnn`, from lists and maps. A file is a list of declarations, a
/// body a list of statements; a statement is a scalar (`relu`) or a map whose one key says what it is
/// (`conv: [64, kernel: 3]`, `repeat: 3` with `do: […]`). Plain scalars are expressions, quoted ones are text.
module internal CnnSpec.Syntax.YamlReader

open CnnSpec.Text
open CnnSpec.Syntax.YamlTree
open CnnSpec.Syntax.YamlReading
open YamlDotNet.Core

/// What each statement's map may hold besides the key that says what it is.
let private companions =
    dict
        [
            "input", []
            "let", []
            "assert", [ "message" ]
            "repeat", [ "index"; "do" ]
            "for", [ "index"; "in"; "do" ]
            "if", [ "then"; "else" ]
            "concat", [ "with" ]
            "add", [ "with" ]
            "mul", [ "with" ]
            "group", []
            "aux", [ "with" ]
            "from", []
            "init", []
            "apply", []
        ]

let private common = [ "label"; "as" ]

/// Every key with a meaning of its own; an operator or block of that name is called through `apply`.
let structural: Set<string> =
    set
        [
            yield! common

            for entry in companions do
                entry.Key
                yield! entry.Value
        ]

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

/// A map of statement or declaration: the key that says what it is, its value, and the others.
type private Item =
    {
        Word: string
        Key: Node
        Value: Node
        Others: (string * Node * Node) list
        Node: Node
    }

    member this.TryFind word =
        this.Others |> List.tryPick (fun (name, _, value) -> if name = word then Some value else None)

let private keyText (node: Node) =
    match node.Kind with
    | Scalar(_, text) -> text
    | _ -> ""

let private suggestion word known otherwise =
    match Suggest.nearest word known with
    | Some near -> $"did you mean '{near}'?"
    | None -> otherwise

/// Complains about keys that mean nothing here.
let private checkOthers (reading: Reading) (item: Item) allowed =
    for word, key, _ in item.Others do
        if not (List.contains word allowed) && key.Kind <> Refused then
            let known = String.concat ", " allowed
            reading.Complain key $"{item.Word} has no '{word}'" (suggestion word allowed $"it takes {known}")

/// A part that must be there.
let private required (reading: Reading) (item: Item) word example =
    match item.TryFind word with
    | Some node when not (isNothing node) -> Some node
    | _ ->
        reading.Complain item.Key $"{item.Word} needs '{word}'" $"write {word}: {example}"
        None

/// The place where what comes after a part of an item begins.
let private within (reading: Reading) (item: Item) (part: Node) (read: unit -> 'a) : 'a =
    let outer = reading.Limit

    let next =
        (item.Key :: (item.Others |> List.map (fun (_, key, _) -> key)))
        |> List.map _.Start
        |> List.filter (fun start -> start >= part.End && start > part.Start)

    reading.Limit <- List.fold min outer next
    let result = read ()
    reading.Limit <- outer
    result

let private one (reading: Reading) (node: Node) what : (Node * Node) option =
    match node.Kind with
    | Mapping(_, [ entry ]) -> Some entry
    | Refused -> None
    | _ ->
        reading.Complain node $"{what} names one value, and this is {describe node}" "write let: {width: 64}"
        None

let rec private body (reading: Reading) isBranches (node: Node) : Body option =
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
        match CnnParser.parseDimensionsIn (Excerpt.ofSpan reading.Source node.Start node.End) with
        | Ok dimensions -> Some dimensions
        | Error diagnostic ->
            reading.Report diagnostic
            None
    | Sequence(_, items) when not items.IsEmpty ->
        let sizes = items |> List.map (expression reading)

        if List.forall Option.isSome sizes then
            Some(List.choose id sizes)
        else
            None
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
        |> List.map (fun entry ->
            match entry with
            | None -> None
            | Some(key, value) ->
                Option.map2 (fun name value -> name, value) (name reading "a value" key) (expression reading value))

    if List.forall Option.isSome bound then
        result
        |> Option.map (fun result ->
            List.foldBack
                (fun (name: Ident, value) rest -> { Kind = LetIn(name, value, rest); Span = name.Span }: Expr)
                (List.choose id bound)
                result)
    else
        None

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
