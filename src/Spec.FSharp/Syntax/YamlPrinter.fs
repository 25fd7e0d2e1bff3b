/// A spec in YAML. A body that stands on one line in `.cnn` is `[a, b]` here, statements joined by `;` are a
/// list within the list, and everything else has a line of its own.
module internal CnnSpec.Syntax.YamlPrinter

open CnnSpec.Syntax.YamlValues

let private indent lines =
    lines |> List.map (fun line -> if line = "" then "" else "  " + line)

/// Lines behind a dash.
let private item lines =
    match lines with
    | first :: rest -> "- " + first :: indent rest
    | [] -> []

let private remarks list =
    list
    |> List.map (fun remark ->
        match remark with
        | CommentLine text -> "#" + text
        | EmptyLine -> "")

/// The comment behind an item stands on its first line.
let private withBehind (trivia: Trivia) lines =
    match trivia.Behind, lines with
    | Some comment, first :: rest -> first + " #" + comment :: rest
    | _ -> lines

let private field (key: string, value: Value) =
    match value with
    | Absent -> [ key + ":" ]
    | Inline(first :: rest) -> (key + ": " + first) :: rest
    | Inline [] -> [ key + ":" ]
    | Items lines -> key + ":" :: lines
    | Entries lines -> key + ":" :: indent lines

let private isOnLine (trivia: Trivia list) (trailing: Remark list) =
    trailing.IsEmpty && List.forall _.Joined trivia

/// What holds no items but comments.
let private onlyComments opening closing trailing =
    Inline(opening :: indent (remarks trailing) @ [ closing ])

/// Items that share a line.
let private lines (trivia: 'a -> Trivia) (items: 'a list) : 'a list list =
    List.foldBack
        (fun item lines ->
            match lines with
            | (next :: _ as line) :: rest when (trivia next).Joined -> (item :: line) :: rest
            | _ -> [ item ] :: lines)
        items
        []

let private setting value (setting: Setting) =
    setting.Key.Name + ": " + value setting.Value

let private settingsFlow (settings: Setting list) =
    let keys = settings |> List.map _.Key.Name
    let text = settings |> List.map (setting (flow >> _.Text)) |> String.concat ", "

    if (List.distinct keys).Length = keys.Length then
        "{" + text + "}"
    else
        "[" + text + "]"

/// A map; a list of maps where several share a line.
let private settings (list: Setting list) trailing : Value =
    let keys = list |> List.map _.Key.Name
    let isMap = (List.distinct keys).Length = keys.Length

    let below (s: Setting) =
        withBehind s.Trivia (field (s.Key.Name, expression s.Value))

    if list.IsEmpty && not (List.isEmpty trailing) then
        onlyComments "{" "}" trailing
    elif isOnLine (list |> List.map _.Trivia) trailing then
        inline' (settingsFlow list)
    elif isMap && not (list |> List.exists _.Trivia.Joined) then
        Entries((list |> List.collect (fun s -> remarks s.Trivia.Above @ below s)) @ remarks trailing)
    else
        let line (line: Setting list) =
            match line with
            | [ single ] -> remarks single.Trivia.Above @ item (below single)
            | several ->
                remarks several.Head.Trivia.Above
                @ item (withBehind (List.last several).Trivia [ settingsFlow several ])

        Items((lines (fun (s: Setting) -> s.Trivia) list |> List.collect line) @ remarks trailing)

let private names (names: Ident list) =
    match names with
    | [ single ] -> single.Name
    | several -> "[" + (several |> List.map _.Name |> String.concat ", ") + "]"

let private call (name: Ident) arguments : Expr =
    let kind =
        match arguments with
        | None -> Name name.Name
        | Some arguments -> Call(name, arguments)

    { Kind = kind; Span = name.Span }

/// How the parts of an item become text: on a line of their own each, or all between brackets.
type private Style =
    {
        Expression: Expr -> Value
        Arguments: Argument list -> Value
        Parameters: Parameter list -> Value
        Settings: Setting list -> Remark list -> Value
        Binding: Ident -> Expr -> Value
        Body: bool -> Body -> Value
        Nested: (string * Value) list -> Value
        InBrackets: bool
    }

/// The fields of a statement without its label and outputs; none where it is a word by itself.
let rec private fields (style: Style) (statement: Statement) : (string * Value) list =
    let arguments list =
        if List.isEmpty list then
            []
        else
            [ "with", style.Arguments list ]

    let index name =
        name |> Option.map (fun (name: Ident) -> "index", inline' name.Name) |> Option.toList

    match statement.Kind with
    | Input sizes -> [ "input", inline' (dimensions style.InBrackets sizes) ]
    | Let(name, value) -> [ "let", style.Binding name value ]
    | Assert(condition, message) ->
        ("assert", style.Expression condition)
        :: (message |> Option.map (fun m -> "message", style.Expression m) |> Option.toList)
    | Apply(name, arguments) when YamlItem.structural.Contains name.Name ->
        [ "apply", inline' (code style.InBrackets (call name arguments)) ]
    | Apply(name, None) -> [ name.Name, Absent ]
    | Apply(name, Some arguments) -> [ name.Name, style.Arguments arguments ]
    | Repeat(count, name, inner) -> [ "repeat", style.Expression count ] @ index name @ [ "do", style.Body false inner ]
    | For(variable, name, items, inner) ->
        [ "for", inline' variable.Name ]
        @ index name
        @ [ "in", style.Expression items; "do", style.Body false inner ]
    | If(branches, otherwise) -> conditional style branches otherwise
    | Combine(combinator, list, inner) ->
        arguments list |> List.append [ Combinator.name combinator, style.Body true inner ]
    | Group inner -> [ "group", style.Body false inner ]
    | Auxiliary(list, inner) -> arguments list |> List.append [ "aux", style.Body false inner ]
    | From name -> [ "from", inline' name.Name ]
    | Initialise(rules, trailing) -> [ "init", style.Settings rules trailing ]
    | Broken -> []

/// A further branch is a map behind `else`.
and private conditional style branches otherwise =
    match branches with
    | [] -> []
    | (condition, inner) :: rest ->
        let last =
            match rest, otherwise with
            | [], None -> []
            | [], Some inner -> [ "else", style.Body false inner ]
            | rest, _ -> [ "else", style.Nested(conditional style rest otherwise) ]

        [ "if", style.Expression condition; "then", style.Body false inner ] @ last

let private allFields style (statement: Statement) =
    [
        match statement.Label with
        | Some label -> "label", inline' (text label)
        | None -> ()

        yield! fields style statement

        match statement.Outputs with
        | [] -> ()
        | outputs -> "as", inline' (names outputs)
    ]

/// A statement that is code and nothing else: a layer without arguments.
let private word inBrackets (statement: Statement) =
    match statement with
    | { Kind = Apply(name, (None | Some [] as arguments)); Label = None; Outputs = [] } ->
        Some(code inBrackets (call name arguments))
    | { Kind = Apply(name, arguments); Label = None; Outputs = [] } when YamlItem.structural.Contains name.Name ->
        Some(code inBrackets (call name arguments))
    | _ -> None

// ── Between brackets ─────────────────────────────────────────────────────────────────────────────────────────────────

let private fieldFlow (key: string, value: Value) =
    match value with
    | Inline lines -> key + ": " + String.concat " " lines
    | _ -> key

let private mapFlow fields =
    "{" + (fields |> List.map fieldFlow |> String.concat ", ") + "}"

/// One pair needs no braces inside brackets.
let private itemFlow fields =
    match fields with
    | [ (_, Inline _) as single ] -> fieldFlow single
    | fields -> mapFlow fields

let rec private statementFlow isBranch (statement: Statement) : string =
    match statement, word true statement with
    | _, Some word -> word
    | { Kind = Group inner; Label = None; Outputs = [] }, _ when isBranch -> bodyFlow false inner
    | _ -> itemFlow (allFields (between ()) statement)

and private bodyFlow isBranches (inner: Body) =
    "[" + (inner.Statements |> List.map (statementFlow isBranches) |> String.concat ", ") + "]"

and private between () : Style =
    {
        Expression = fun expr -> inline' (flow expr).Text
        Arguments = argumentsFlow >> inline'
        Parameters = parametersFlow >> inline'
        Settings = fun list _ -> inline' (settingsFlow list)
        Binding = fun name expr -> inline' ("{" + name.Name + ": " + (flow expr).Text + "}")
        Body = fun isBranches inner -> inline' (bodyFlow isBranches inner)
        Nested = mapFlow >> inline'
        InBrackets = true
    }

// ── A line each ──────────────────────────────────────────────────────────────────────────────────────────────────────

let private isInline (inner: Body) =
    isOnLine (inner.Statements |> List.map _.Trivia) inner.Trailing

let rec private statementLines isBranch (statement: Statement) : string list =
    let asFields () =
        allFields (below ()) statement |> List.collect field

    match statement, word false statement with
    | _, Some word -> [ word ]
    | { Kind = Group inner; Label = None; Outputs = [] }, _ when isBranch ->
        match bodyValue false inner with
        | Inline [ line ] -> [ line ]
        // The first line of the list is the item's own: no comment fits above it or behind it.
        | Items(first :: _ as lines) when not (first.StartsWith '#') && statement.Trivia.Behind.IsNone -> lines
        | _ -> asFields ()
    | _ -> asFields ()

and private bodyLines isBranches (inner: Body) =
    let line (line: Statement list) =
        match line with
        | [ single ] -> remarks single.Trivia.Above @ item (withBehind single.Trivia (statementLines isBranches single))
        | several ->
            let text =
                "[" + (several |> List.map (statementFlow false) |> String.concat ", ") + "]"

            remarks several.Head.Trivia.Above @ item (withBehind (List.last several).Trivia [ text ])

    // A list among branches is a branch, so each branch has an item of its own.
    let lines =
        if isBranches then
            List.map List.singleton inner.Statements
        else
            lines _.Trivia inner.Statements

    List.collect line lines @ remarks inner.Trailing

and private bodyValue isBranches (inner: Body) : Value =
    if inner.Statements.IsEmpty && not inner.Trailing.IsEmpty then
        onlyComments "[" "]" inner.Trailing
    elif isInline inner then
        inline' (bodyFlow isBranches inner)
    else
        Items(bodyLines isBranches inner)

and private below () : Style =
    {
        Expression = expression
        Arguments = arguments
        Parameters = parameters
        Settings = settings
        Binding = binding
        Body = bodyValue
        Nested = List.collect field >> Entries
        InBrackets = false
    }

// ── Declarations ─────────────────────────────────────────────────────────────────────────────────────────────────────

let private functionFields style (expr: Expr) =
    let rec bindings (expr: Expr) =
        match expr.Kind with
        | LetIn(name, value, rest) ->
            let others, result = bindings rest
            (name, value) :: others, result
        | _ -> [], expr

    let bindings, result = bindings expr

    let bound =
        match bindings with
        | [] -> []
        | bindings when style.InBrackets ->
            let items =
                bindings |> List.map (fun (name, value) -> name.Name + ": " + (flow value).Text)

            [ "let", inline' ("[" + String.concat ", " items + "]") ]
        | bindings -> [ "let", Items(bindings |> List.map (fun (name, value) -> "- " + line name.Name value)) ]

    bound @ [ "returns", style.Expression result ]

let private declarationFields style (declaration: Declaration) : (string * Value) list =
    let ps list =
        if List.isEmpty list then
            []
        else
            [ "parameters", style.Parameters list ]

    match declaration.Kind with
    | Import(file, _) -> [ "import", inline' (path file) ]
    | Constant(name, value) -> [ "let", style.Binding name value ]
    | Function(name, list, value) -> [ "fn", inline' name.Name ] @ ps list @ functionFields style value
    | Block(name, list, inner) -> [ "block", inline' name.Name ] @ ps list @ [ "body", style.Body false inner ]
    | Network(name, list, inner) -> [ "network", inline' name.Name ] @ ps list @ [ "body", style.Body false inner ]
    | Train(name, list, trailing) ->
        (name |> Option.map (fun name -> "name", inline' name.Name) |> Option.toList)
        @ [ "train", style.Settings list trailing ]

/// The canonical text of a file whose layout is that of the `.cnn` printer.
let print (file: File) : string =
    let line (line: Declaration list) =
        match line with
        | [ single ] ->
            remarks single.Trivia.Above
            @ item (withBehind single.Trivia (declarationFields (below ()) single |> List.collect field))
        | several ->
            let text =
                several |> List.map (declarationFields (between ()) >> itemFlow) |> String.concat ", "

            remarks several.Head.Trivia.Above
            @ item (withBehind (List.last several).Trivia [ "[" + text + "]" ])

    let lines =
        (lines (fun (d: Declaration) -> d.Trivia) file.Declarations |> List.collect line)
        @ remarks file.Trailing

    lines |> List.map (fun line -> line + "\n") |> String.concat ""
