/// The parts of YAML: names, text, expressions, arguments, settings. Whatever cannot be read is reported and
/// left out.
module internal CnnSpec.Syntax.YamlReading

open CnnSpec.Text
open CnnSpec.Syntax.YamlTree
open CnnSpec.Syntax.YamlComments
open YamlDotNet.Core

let private reported (reading: Reading) result =
    match result with
    | Ok value -> Some value
    | Error diagnostic ->
        reading.Report diagnostic
        None

/// All parts, unless one of them was reported.
let whole (parts: 'a option list) : 'a list option =
    if List.forall Option.isSome parts then
        Some(List.choose id parts)
    else
        None

let isNothing (node: Node) =
    match node.Kind with
    | Scalar(ScalarStyle.Plain, "") -> true
    | _ -> false

/// What a node is, as messages name it.
let describe (node: Node) =
    match node.Kind with
    | Scalar(ScalarStyle.Plain, "") -> "nothing"
    | Scalar(ScalarStyle.Plain, value) when value.Length <= 40 -> $"'{value}'"
    | Scalar _ -> "text"
    | Sequence _ -> "a list"
    | Mapping _ -> "a map"
    | Refused -> "something else"

let private excerpt (reading: Reading) (node: Node) style value =
    match style with
    | ScalarStyle.SingleQuoted
    | ScalarStyle.DoubleQuoted -> YamlScalar.quoted reading.Source node style value
    | ScalarStyle.Literal
    | ScalarStyle.Folded -> YamlScalar.block reading.Source node
    | _ -> Excerpt.ofSpan reading.Source node.Start node.End

/// Text where nothing but text can stand: labels, paths, keys.
let text (reading: Reading) what (node: Node) : Expr option =
    match node.Kind with
    | Refused -> None
    | Scalar(style, value) when not (isNothing node) ->
        let excerpt =
            match style with
            | ScalarStyle.Literal
            | ScalarStyle.Folded -> { excerpt reading node style value with Text = value; Place = fun _ -> node.Start }
            | _ -> excerpt reading node style value

        ExcerptParser.template excerpt
        |> reported reading
        |> Option.map (fun parts -> { Kind = StringLiteral parts; Span = reading.Span node })
    | _ ->
        reading.Complain node $"{what} is text, and this is {describe node}" $"write it as one word, or in quotes"
        None

/// A name, as those of layers, parameters and tensors.
let name (reading: Reading) what (node: Node) : Ident option =
    match node.Kind with
    | Refused -> None
    | Scalar(ScalarStyle.Plain, value) when Keyword.isName value -> Some { Name = value; Span = reading.Span node }
    | Scalar(ScalarStyle.Plain, value) when Keyword.reserved.Contains value ->
        reading.Complain node $"'{value}' is a keyword and cannot name {what}" "choose another name"
        None
    | _ ->
        reading.Complain
            node
            $"{what} has a name of letters, digits and '_', and this is {describe node}"
            "a name begins with a letter or '_'"

        None

/// One name, or a list of them.
let names (reading: Reading) what (node: Node) : Ident list =
    match node.Kind with
    | Sequence(_, items) -> items |> List.choose (name reading what)
    | _ -> name reading what node |> Option.toList

let rec expression (reading: Reading) (node: Node) : Expr option =
    let located kind =
        { Kind = kind; Span = reading.Span node }: Expr

    match node.Kind with
    | Refused -> None
    | Scalar(ScalarStyle.Plain, "") ->
        reading.Complain node "a value is missing" "write it behind the colon; none is the value that is nothing"
        None
    | Scalar((ScalarStyle.SingleQuoted | ScalarStyle.DoubleQuoted) as style, value) ->
        ExcerptParser.template (excerpt reading node style value)
        |> reported reading
        |> Option.map (fun parts ->
            match parts with
            // Text that is one hole stands for what is in it.
            | [ Hole value ] -> value
            | parts -> located (StringLiteral parts))
    | Scalar(style, value) -> ExcerptParser.expression (excerpt reading node style value) |> reported reading
    | Sequence(_, items) -> items |> List.map (expression reading) |> whole |> Option.map (ListLiteral >> located)
    | Mapping(_, entries) ->
        entries
        |> List.map (fun (key, value) ->
            Option.map2 (fun k v -> k, v) (text reading "a key" key) (expression reading value))
        |> whole
        |> Option.map (MapLiteral >> located)

let private named (reading: Reading) (key: Node, value: Node) : Argument option =
    match name reading "an argument" key, expression reading value with
    | Some key, Some value -> Some { Name = Some key; Value = value }
    | _ -> None

/// `[64, kernel: 3]`, `{kernel: 3}` or `64`; nothing where one of them was reported.
let arguments (reading: Reading) (node: Node) : Argument list option =
    let positional value =
        expression reading value |> Option.map (fun value -> { Name = None; Value = value }: Argument)

    match node.Kind with
    | Sequence(_, items) ->
        items
        |> List.collect (fun item ->
            match item.Kind with
            | Mapping((Lines | Pair), entries) -> List.map (named reading) entries
            | _ -> [ positional item ])
    | Mapping(_, entries) -> List.map (named reading) entries
    | _ -> [ positional node ]
    |> whole

/// `[out, stride: 1]` or `{classes: 10}`.
let parameters (reading: Reading) (node: Node) : Parameter list =
    let withDefault (key, value) =
        Option.map2
            (fun name value -> { Name = name; Default = Some value }: Parameter)
            (name reading "a parameter" key)
            (expression reading value)

    match node.Kind with
    | Refused -> []
    | Sequence(_, items) ->
        items
        |> List.collect (fun item ->
            match item.Kind with
            | Mapping(_, entries) -> List.map withDefault entries
            | _ -> [ name reading "a parameter" item |> Option.map (fun name -> { Name = name; Default = None }) ])
        |> List.choose id
    | Mapping(_, entries) -> entries |> List.choose withDefault
    | _ ->
        reading.Complain
            node
            $"parameters are a list or a map, and this is {describe node}"
            "write parameters: [out, stride: 1]"

        []

let private settingKey (reading: Reading) (node: Node) : Ident option =
    // As in `.cnn`: after the first, parts may be numbers (`fc.1.weight`).
    let isKey (value: string) =
        let parts = value.Split '.'

        let isNumber (part: string) =
            part <> "" && Seq.forall System.Char.IsAsciiDigit part

        Keyword.isWord parts[0]
        && parts |> Array.skip 1 |> Array.forall (fun part -> Keyword.isWord part || isNumber part)

    match node.Kind with
    | Scalar(ScalarStyle.Plain, value) when isKey value -> Some { Name = value; Span = reading.Span node }
    | Refused -> None
    | _ ->
        reading.Complain node $"a setting has a name, and this is {describe node}" "write name: value"
        None

/// `key: value` pairs of a recipe or of initialisation rules: a map, or a list of maps, each of which is a line.
let settings (reading: Reading) (node: Node) : Setting list * Remark list =
    let mutable count = 0

    let pair isJoined (key: Node, value: Node) : Setting option =
        let place = { key with End = max key.End value.End }

        let (name, value), trivia =
            withTrivia reading (count = 0) isJoined place (fun () -> settingKey reading key, expression reading value)

        count <- count + 1
        Option.map2 (fun key value -> { Key = key; Value = value; Trivia = trivia }: Setting) name value

    let pairs joinFirst form entries =
        entries
        |> List.mapi (fun index entry -> pair (if index = 0 then joinFirst else form <> Lines) entry)

    let rec entries (item: Node) =
        match item.Kind with
        | Mapping(_, entries) -> entries
        // A recipe may be wrong and have a key twice, as a map cannot.
        | Sequence(_, items) -> items |> List.collect entries
        | Refused -> []
        | _ ->
            reading.Complain item $"settings are name: value, and this is {describe item}" "write name: value"
            []

    let line isFlow (item: Node) =
        let form =
            match item.Kind with
            | Mapping(form, _) when not isFlow -> form
            | _ -> Braces

        pairs isFlow form (entries item)
        |> List.choose id
        |> withLineEnd reading item (fun (s: Setting) -> s.Trivia) (fun trivia s -> { s with Trivia = trivia })

    match node.Kind with
    | Refused -> [], []
    | Mapping(form, entries) ->
        reading.Enter(bodyStart (form = Braces) (List.map fst entries) node)
        let settings = pairs (form = Braces) form entries
        List.choose id settings, trailing reading (form = Braces) node settings.IsEmpty
    | Sequence(isFlow, items) ->
        reading.Enter(bodyStart isFlow items node)
        let settings = items |> List.collect (line isFlow)

        settings, trailing reading isFlow node settings.IsEmpty
    | _ ->
        reading.Complain node $"settings are name: value, and this is {describe node}" "write each as name: value"
        [], []
