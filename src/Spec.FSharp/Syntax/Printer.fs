/// A spec in its canonical form. Comments, the author's line structure and single empty lines stay; spacing,
/// parentheses and quotes become uniform; what is too long for a line is broken.
module CnnSpec.Syntax.Printer

open CnnSpec.Syntax.Layout
open CnnSpec.Syntax.ExpressionPrinter

let private space = Doc.text " "

let private remark remark =
    match remark with
    | CommentLine text -> Doc.comment ("//" + text)
    | EmptyLine -> Doc.empty

/// Items with their comments, one to a line, or several where the author joined them by `;`: as many of these as fit
/// with `Doc.fill`, all or none with `Doc.concat`.
let private lines (together: Doc list -> Doc) (items: (Doc * Trivia) list) (trailing: Remark list) : Doc =
    let output = ResizeArray<Doc>()
    let line = ResizeArray<Doc>()
    let separator = Doc.line "; " ""
    let mutable isFirst = true

    let startLine () =
        if not isFirst then
            output.Add Doc.lineBreak

        isFirst <- false

    let remarks above =
        for r in above do
            match r with
            | EmptyLine when isFirst -> ()
            | _ ->
                startLine ()
                output.Add(remark r)

    let flush () =
        if line.Count > 0 then
            startLine ()
            output.Add(together (Doc.join separator (List.ofSeq line)))
            line.Clear()

    for doc, trivia in items do
        if not trivia.Joined || not trivia.Above.IsEmpty then
            flush ()

        remarks trivia.Above
        line.Add doc

        match trivia.Behind with
        | Some text ->
            flush ()
            output.Add(Doc.comment (" //" + text))
        | None -> ()

    flush ()
    remarks trailing
    Doc.concat (List.ofSeq output)

/// Whether the author wrote a body on one line.
let private isInline (trivia: Trivia list) (trailing: Remark list) =
    trailing.IsEmpty && trivia |> List.forall (fun t -> t.Joined && t.Above.IsEmpty && t.Behind.IsNone)

/// `{ … }` on one line where the author wrote it so and it fits. It breaks with the group around it, its statement's.
let private braced together (items: (Doc * Trivia) list) trailing =
    let inner = lines together items trailing

    match items, trailing with
    | [], [] -> Doc.text "{}"
    | _ ->
        let edge =
            if isInline (List.map snd items) trailing then
                Doc.line " " ""
            else
                Doc.lineBreak

        Doc.concat [ Doc.text "{"; Doc.indent (Doc.concat [ edge; inner ]); edge; Doc.text "}" ]

let private settings (settings: Setting list) trailing =
    let item (setting: Setting) =
        Doc.concat [ Doc.text (setting.Key.Name + " = "); print setting.Value ], setting.Trivia

    braced Doc.fill (List.map item settings) trailing

let private names (names: Ident list) =
    names |> List.map _.Name |> String.concat ", "

let private optionalArguments (arguments: Argument list) =
    if arguments.IsEmpty then
        Doc.empty
    else
        printArguments arguments

let private label (statement: Statement) =
    match statement.Label with
    | Some { Kind = StringLiteral [ Literal name ] } when Keyword.isWord name -> Doc.text (name + ": ")
    | Some label -> Doc.concat [ print label; Doc.text ": " ]
    | None -> Doc.empty

let private outputs (statement: Statement) =
    match statement.Outputs with
    | [] -> Doc.empty
    | outputs -> Doc.text (" as " + names outputs)

let rec private body (body: Body) =
    braced Doc.fill (body.Statements |> List.map (fun s -> statement s, s.Trivia)) body.Trailing

/// All branches on one line, or each on a line of its own.
and private branches (inner: Body) =
    let onOneLine = isInline (inner.Statements |> List.map _.Trivia) inner.Trailing

    let branch (s: Statement) =
        statement s, { s.Trivia with Joined = onOneLine }

    braced Doc.concat (List.map branch inner.Statements) inner.Trailing

and private statement (statement: Statement) : Doc =
    Doc.group (Doc.concat [ label statement; kind statement.Kind; outputs statement ])

and private kind kind : Doc =
    match kind with
    | Input dimensions -> Doc.concat (Doc.text "input " :: Doc.join (Doc.text " x ") (List.map printTerm dimensions))
    | Let(name, value) -> Doc.concat [ Doc.text $"let {name.Name} = "; print value ]
    | Assert(condition, None) -> Doc.concat [ Doc.text "assert "; print condition ]
    | Assert(condition, Some message) ->
        Doc.concat [ Doc.text "assert "; print condition; Doc.text ", "; print message ]
    | Apply(name, None) -> Doc.text name.Name
    | Apply(name, Some arguments) -> Doc.concat [ Doc.text name.Name; printArguments arguments ]
    | Repeat(count, index, inner) ->
        let index =
            match index with
            | Some name -> Doc.text $" as {name.Name}"
            | None -> Doc.empty

        Doc.concat [ Doc.text "repeat "; printSubject count; index; space; body inner ]
    | For(item, index, items, inner) ->
        let variables = names (item :: Option.toList index)
        Doc.concat [ Doc.text $"for {variables} in "; print items; space; body inner ]
    | If(branches, otherwise) ->
        let branch (condition, inner) =
            Doc.concat [ Doc.text "if "; printSubject condition; space; body inner ]

        let otherwise =
            match otherwise with
            | Some inner -> [ Doc.concat [ Doc.text " else "; body inner ] ]
            | None -> []

        Doc.concat (Doc.join (Doc.text " else ") (List.map branch branches) @ otherwise)
    | Combine(combinator, arguments, inner) ->
        Doc.concat [ Doc.text (Combinator.name combinator); optionalArguments arguments; space; branches inner ]
    | Group inner -> body inner
    | Auxiliary(arguments, inner) -> Doc.concat [ Doc.text "aux"; optionalArguments arguments; space; body inner ]
    | From name -> Doc.text $"from {name.Name}"
    // What did not parse has no canonical form; whoever prints has looked at the diagnostics first.
    | Broken -> Doc.empty
    | Initialise(rules, trailing) -> Doc.concat [ Doc.text "init "; settings rules trailing ]

let private parameters (parameters: Parameter list) =
    parameters
    |> List.map (fun parameter ->
        match parameter.Default with
        | Some value -> Doc.concat [ Doc.text (parameter.Name.Name + " = "); print value ]
        | None -> Doc.text parameter.Name.Name)
    |> bracketed "(" ")"

/// `= expression`, or `{ let …; expression }`.
let private functionBody (expr: Expr) =
    let rec statements (expr: Expr) =
        match expr.Kind with
        | LetIn(name, value, rest) ->
            Doc.group (Doc.concat [ Doc.text $"let {name.Name} = "; print value ]) :: statements rest
        | _ -> [ Doc.group (print expr) ]

    match statements expr with
    | [ single ] -> Doc.concat [ Doc.text "= "; single ]
    | statements ->
        let inner = Doc.concat (Doc.lineBreak :: Doc.join Doc.lineBreak statements)
        Doc.concat [ Doc.text "{"; Doc.indent inner; Doc.lineBreak; Doc.text "}" ]

let private declaration (declaration: Declaration) : Doc =
    let doc =
        match declaration.Kind with
        | Import(path, _) -> Doc.text ("import " + quoted path)
        | Constant(name, value) -> Doc.concat [ Doc.text $"let {name.Name} = "; print value ]
        | Function(name, ps, value) ->
            Doc.concat [ Doc.text $"fn {name.Name}"; parameters ps; space; functionBody value ]
        | Block(name, ps, inner) -> Doc.concat [ Doc.text $"block {name.Name}"; parameters ps; space; body inner ]
        | Network(name, [], inner) -> Doc.concat [ Doc.text $"network {name.Name} "; body inner ]
        | Network(name, ps, inner) -> Doc.concat [ Doc.text $"network {name.Name}"; parameters ps; space; body inner ]
        | Train(name, list, trailing) ->
            let name = name |> Option.fold (fun _ name -> name.Name + " ") ""
            Doc.concat [ Doc.text ("train " + name); settings list trailing ]

    Doc.group doc

/// The canonical text of a file; it ends with a line break unless it is empty.
let print (file: File) : string =
    let items = file.Declarations |> List.map (fun d -> declaration d, d.Trivia)
    let text = Doc.render (lines Doc.fill items file.Trailing)
    if text = "" then "" else text + "\n"
