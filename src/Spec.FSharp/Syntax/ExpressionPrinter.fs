/// Expressions in their canonical form: as few parentheses as the precedence table allows.
module internal CnnSpec.Syntax.ExpressionPrinter

open System
open System.Text
open CnnSpec.Syntax.Layout

let private escape (text: string) =
    let output = StringBuilder()

    for c in text do
        match c with
        | '"' -> output.Append "\\\""
        | '\\' -> output.Append @"\\"
        | '\n' -> output.Append @"\n"
        | '\t' -> output.Append @"\t"
        | '{' -> output.Append @"\{"
        | '}' -> output.Append @"\}"
        | c -> output.Append c
        |> ignore

    output.ToString()

/// `"text"` without holes.
let quoted (text: string) = "\"" + escape text + "\""

/// Tighter than any operator: what `[index]` may follow.
let private atomic = 100

/// How tightly an expression holds together; what stands inside something tighter needs parentheses.
let private level (expr: Expr) =
    match expr.Kind with
    | Binary(operator, _, _) -> BinaryOperator.precedence operator
    | Unary _ -> BinaryOperator.unaryPrecedence
    | Conditional _
    | LetIn _ -> 0
    | _ -> atomic

let private spelling operator =
    match operator with
    | Negate -> "-"
    | Not -> "not "

/// `(a, b, …)` and the like: on one line, or one item a line with a comma behind the last.
let bracketed (opening: string) (closing: string) (items: Doc list) =
    if items.IsEmpty then
        Doc.text (opening + closing)
    else
        let lines = Doc.concat (Doc.line "" "" :: Doc.join (Doc.line ", " ",") items)

        Doc.group (Doc.concat [ Doc.text opening; Doc.indent lines; Doc.line "" ","; Doc.text closing ])

/// The same for short items, as many a line as fit.
let private filled (opening: string) (closing: string) (items: Doc list) =
    let lines =
        Doc.concat [ Doc.line "" ""; Doc.fill (Doc.join (Doc.line ", " ",") items) ]

    Doc.group (Doc.concat [ Doc.text opening; Doc.indent lines; Doc.line "" ","; Doc.text closing ])

let rec private isShort (expr: Expr) =
    match expr.Kind with
    | IntLiteral _
    | FloatLiteral _
    | BoolLiteral _
    | Name _ -> true
    | Unary(_, operand) -> isShort operand
    | _ -> false

let rec print (expr: Expr) : Doc =
    match expr.Kind with
    | IntLiteral(_, text)
    | FloatLiteral(_, text) -> Doc.text text
    | BoolLiteral value -> Doc.text (if value then "true" else "false")
    | NoneLiteral -> Doc.text "none"
    | Name name -> Doc.text name
    | StringLiteral parts -> Doc.text (text parts)
    | ListLiteral items when items.Length > 1 && List.forall isShort items -> filled "[" "]" (List.map print items)
    | ListLiteral items -> bracketed "[" "]" (List.map print items)
    | MapLiteral entries -> bracketed "{" "}" (mapEntries entries)
    | Call(name, arguments) -> Doc.concat [ Doc.text name.Name; printArguments arguments ]
    | ElementAt(target, at) -> Doc.concat [ within atomic target; Doc.text "["; print at; Doc.text "]" ]
    | Unary(operator, operand) ->
        // `--x` would read as one operator.
        Doc.concat [ Doc.text (spelling operator); within (BinaryOperator.unaryPrecedence + 1) operand ]
    | Binary(operator, left, right) ->
        let level = BinaryOperator.precedence operator

        let leftLevel, rightLevel =
            if operator = Power then
                level + 1, level
            else
                level, level + 1

        Doc.group (
            Doc.concat
                [
                    within leftLevel left
                    Doc.text (" " + BinaryOperator.spelling operator)
                    Doc.indent (Doc.concat [ Doc.line " " ""; within rightLevel right ])
                ]
        )
    | Conditional(condition, whenTrue, whenFalse) ->
        Doc.concat
            [
                Doc.text "if "
                print condition
                Doc.text " then "
                print whenTrue
                Doc.text " else "
                print whenFalse
            ]
    // Only the body of a function holds one, and its printer takes it apart.
    | LetIn(_, _, rest) -> print rest

/// An expression where something at least as tight must stand.
and private within least (expr: Expr) =
    if level expr >= least then
        print expr
    else
        Doc.concat [ Doc.text "("; print expr; Doc.text ")" ]

/// What no operator may touch: a dimension of the input.
and printTerm (expr: Expr) = within atomic expr

/// `"text with {holes}"`; a hole stays on its line.
and text (parts: StringPart list) : string =
    let part part =
        match part with
        | Literal text -> escape text
        | Hole expr -> "{" + flat expr + "}"

    "\"" + (parts |> List.map part |> String.concat "") + "\""

/// Keys without quotes where none needs them.
and private mapEntries entries =
    let bare =
        entries
        |> List.forall (fun (key, _) ->
            match key.Kind with
            | StringLiteral [ Literal name ] -> Keyword.isName name
            | _ -> false)

    entries
    |> List.map (fun (key, value) ->
        let name =
            match key.Kind with
            | StringLiteral [ Literal name ] when bare -> Doc.text name
            | _ -> print key

        Doc.concat [ name; Doc.text ": "; print value ])

and printArguments (arguments: Argument list) =
    arguments
    |> List.map (fun argument ->
        match argument.Name with
        | Some name -> Doc.concat [ Doc.text (name.Name + "="); print argument.Value ]
        | None -> print argument.Value)
    |> bracketed "(" ")"

/// On one line, however long.
and flat (expr: Expr) : string = Doc.flat (print expr)

/// What stands before a body: a map there would read as the body.
let printSubject (expr: Expr) =
    if (flat expr).StartsWith '{' then
        Doc.concat [ Doc.text "("; print expr; Doc.text ")" ]
    else
        print expr
