/// Values in YAML: plain scalars where YAML lets code stand as it is, quotes where it does not.
module internal CnnSpec.Syntax.YamlValues

open System
open System.Text

/// What stands behind a key.
type Value =
    /// On the key's line, perhaps going on below; the last line closes it.
    | Inline of string list
    /// Nothing: a layer without arguments.
    | Absent
    /// `- item` lines, in the key's column.
    | Items of string list
    /// `key: value` lines, indented.
    | Entries of string list

/// Text on a line, and whether all code in it stands without quotes.
type Flow = { Text: string; IsClean: bool }

let inline' text = Inline [ text ]

let private joined opening closing (parts: Flow list) =
    {
        Text = opening + (parts |> List.map _.Text |> String.concat ", ") + closing
        IsClean = List.forall _.IsClean parts
    }

let private prefixed prefix (flow: Flow) = { flow with Text = prefix + flow.Text }

let private needsEscape c =
    Char.IsControl c || c = '\u2028' || c = '\u2029' || c = '\ufeff'

let private doubleQuoted (text: string) =
    let output = StringBuilder "\""

    for c in text do
        match c with
        | '"' -> output.Append "\\\""
        | '\\' -> output.Append @"\\"
        | '\n' -> output.Append @"\n"
        | '\t' -> output.Append @"\t"
        | c when needsEscape c -> output.Append("\\u" + (int c).ToString "x4")
        | c -> output.Append c
        |> ignore

    output.Append('"').ToString()

let private quoted (text: string) =
    let hasEscapes = text |> Seq.exists needsEscape

    if (text.Contains '"' || text.Contains '\\') && not (text.Contains '\'' || hasEscapes) then
        "'" + text + "'"
    else
        doubleQuoted text

/// Text with `{holes}`, where `{{` and `}}` are braces.
let private template (parts: StringPart list) =
    parts
    |> List.map (fun part ->
        match part with
        | Literal text -> text.Replace("{", "{{").Replace("}", "}}")
        | Hole expr ->
            let code = ExpressionPrinter.flat expr

            if code.StartsWith '{' then
                "{ " + code + "}"
            else
                "{" + code + "}")
    |> String.concat ""
    |> quoted

let private isPlainWord (text: string) =
    text <> ""
    && Char.IsAsciiLetterOrDigit text[0]
    && text
       |> Seq.forall (fun c -> Char.IsAsciiLetterOrDigit c || c = '_' || c = '.' || c = '/' || c = '-')

/// Text where nothing but text can stand: labels, keys, paths.
let text (expr: Expr) =
    match expr.Kind with
    | StringLiteral [ Literal text ] when isPlainWord text || Keyword.isWord text -> text
    | StringLiteral parts -> template parts
    | _ -> template [ Hole expr ]

let path (text: string) =
    if isPlainWord text then text else template [ Literal text ]

/// Whether code reads as a plain scalar; fewer characters may stand inside brackets.
let private isPlain inBrackets (code: string) =
    let first = code[0]

    not ("[]{},#&*!|>'\"%@`?:".Contains first)
    && not (first = '-' && (code.Length = 1 || code[1] = ' ' || code[1] = '-'))
    && not (code.Contains ':' || code.Contains '#' || Seq.exists needsEscape code)
    && not (inBrackets && code.IndexOfAny [| '['; ']'; '{'; '}'; ',' |] >= 0)

/// Code between brackets; in quotes and braces where it cannot stand plainly.
let private codeIn inBrackets (expr: Expr) =
    let code = ExpressionPrinter.flat expr

    if isPlain inBrackets code then
        { Text = code; IsClean = true }
    else
        { Text = template [ Hole expr ]; IsClean = false }

let private distinct (names: string list) =
    (List.distinct names).Length = names.Length

/// YAML refuses a map with a key twice; the language refuses it later, so it can be written.
let private isMap entries =
    entries |> List.map (fst >> text) |> distinct

let rec private value inBrackets (expr: Expr) : Flow =
    match expr.Kind with
    | ListLiteral items -> items |> List.map flow |> joined "[" "]"
    | MapLiteral entries when isMap entries ->
        entries |> List.map (fun (key, value) -> prefixed (text key + ": ") (flow value)) |> joined "{" "}"
    // A single hole would be read as the value in it, not as text.
    | StringLiteral [ Hole _ ] -> { Text = template [ Hole expr ]; IsClean = true }
    | StringLiteral parts -> { Text = template parts; IsClean = true }
    | _ -> codeIn inBrackets expr

/// A value between brackets.
and flow (expr: Expr) = value true expr

/// A value on a line of its own.
let private single (expr: Expr) = (value false expr).Text

/// Whether a line of this kind may stay one.
let private fits (flow: Flow) =
    flow.IsClean && flow.Text.Length <= Layout.Doc.widest - 20

/// The value of a key.
let expression (expr: Expr) : Value =
    let onLine = flow expr

    match expr.Kind with
    | ListLiteral(_ :: _ as items) when not (fits onLine) -> Items(items |> List.map (fun item -> "- " + single item))
    | MapLiteral(_ :: _ as entries) when isMap entries && not (fits onLine) ->
        Entries(entries |> List.map (fun (key, item) -> text key + ": " + single item))
    | _ -> inline' (single expr)

/// `name` or `name: value`.
let private entry value (name: string option, expr: Expr option) =
    match name, expr with
    | Some name, Some expr -> prefixed (name + ": ") (value expr)
    | Some name, None -> { Text = name; IsClean = true }
    | None, Some expr -> value expr
    | None, None -> { Text = ""; IsClean = true }

/// A list of arguments or parameters, on one line if it is `clean` there: a map where all have names and values.
let private list (items: (string option * Expr option) list) =
    let isMap =
        not items.IsEmpty
        && items |> List.forall (fun (name, value) -> name.IsSome && value.IsSome)
        && distinct (List.choose fst items)

    let onLine =
        items |> List.map (entry flow) |> (if isMap then joined "{" "}" else joined "[" "]")

    let below () =
        let lines = items |> List.map (entry (value false) >> _.Text)

        if isMap then
            Entries lines
        else
            Items(lines |> List.map (fun line -> "- " + line))

    onLine, below

let private argumentList (arguments: Argument list) =
    arguments
    |> List.map (fun argument -> argument.Name |> Option.map _.Name, Some argument.Value)
    |> list

/// A single plain argument needs no brackets.
let private lone (arguments: Argument list) =
    match arguments with
    | [ { Name = None; Value = { Kind = ListLiteral _ | MapLiteral _ } } ] -> None
    | [ { Name = None; Value = value } ] -> Some value
    | _ -> None

let argumentsFlow (arguments: Argument list) : string =
    match lone arguments with
    | Some value -> (flow value).Text
    | None -> (fst (argumentList arguments)).Text

let arguments (arguments: Argument list) : Value =
    match lone arguments with
    | Some value -> inline' (single value)
    | None ->
        let onLine, below = argumentList arguments

        if arguments.IsEmpty || fits onLine then
            inline' onLine.Text
        else
            below ()

let parameters (parameters: Parameter list) : Value =
    let onLine, below =
        parameters |> List.map (fun parameter -> Some parameter.Name.Name, parameter.Default) |> list

    if fits onLine then inline' onLine.Text else below ()

let parametersFlow (parameters: Parameter list) : string =
    let onLine, _ =
        parameters |> List.map (fun parameter -> Some parameter.Name.Name, parameter.Default) |> list

    onLine.Text

/// `{name: value}`
let binding (name: Ident) (expr: Expr) : Value =
    let onLine = joined "{" "}" [ prefixed (name.Name + ": ") (flow expr) ]

    if fits onLine then
        inline' onLine.Text
    else
        Entries [ name.Name + ": " + single expr ]

/// A value behind a word on a line of its own.
let line (word: string) (expr: Expr) = word + ": " + single expr

/// `channels x height x width`
let dimensions inBrackets (dimensions: Expr list) =
    let code =
        dimensions |> List.map (ExpressionPrinter.printTerm >> Layout.Doc.flat) |> String.concat " x "

    if isPlain inBrackets code then
        code
    else
        (dimensions |> List.map flow |> joined "[" "]").Text

/// `relu` or `conv()`, written as code.
let code inBrackets (expr: Expr) = (codeIn inBrackets expr).Text
