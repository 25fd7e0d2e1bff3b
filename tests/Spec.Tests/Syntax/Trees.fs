/// Trees without what does not matter: where things stood in their file, and which shared a line.
module CnnSpec.Spec.Tests.Syntax.Trees

open CnnSpec.Text
open CnnSpec.Syntax

let private nowhere = Span.create (Source.create "" "") 0 0

let private ident (name: Ident) : Ident = { name with Span = nowhere }

let rec expression (expr: Expr) : Expr =
    let kind =
        match expr.Kind with
        | StringLiteral parts -> StringLiteral(parts |> List.map part)
        | ListLiteral items -> ListLiteral(items |> List.map expression)
        | MapLiteral entries -> MapLiteral(entries |> List.map (fun (key, value) -> expression key, expression value))
        | Unary(operator, operand) -> Unary(operator, expression operand)
        | Binary(operator, left, right) -> Binary(operator, expression left, expression right)
        | Conditional(test, yes, no) -> Conditional(expression test, expression yes, expression no)
        | Call(name, arguments) -> Call(ident name, arguments |> List.map argument)
        | ElementAt(target, at) -> ElementAt(expression target, expression at)
        | LetIn(name, value, rest) -> LetIn(ident name, expression value, expression rest)
        | other -> other

    { Kind = kind; Span = nowhere }

and private part part =
    match part with
    | Literal _ -> part
    | Hole expr -> Hole(expression expr)

and private argument (argument: Argument) : Argument =
    { Name = Option.map ident argument.Name; Value = expression argument.Value }

let private trivia (trivia: Trivia) = { trivia with Joined = false }

let private setting (setting: Setting) : Setting =
    {
        Key = ident setting.Key
        Value = expression setting.Value
        Trivia = trivia setting.Trivia
    }

let rec private body (inner: Body) : Body =
    { inner with Statements = List.map statement inner.Statements; Span = nowhere }

and private statement (statement: Statement) : Statement =
    {
        Kind = kind statement.Kind
        Label = Option.map expression statement.Label
        Outputs = List.map ident statement.Outputs
        Span = nowhere
        Trivia = trivia statement.Trivia
    }

and private kind kind =
    match kind with
    | Input sizes -> Input(List.map expression sizes)
    | Let(name, value) -> Let(ident name, expression value)
    | Assert(condition, message) -> Assert(expression condition, Option.map expression message)
    | Apply(name, arguments) -> Apply(ident name, Option.map (List.map argument) arguments)
    | Repeat(count, index, inner) -> Repeat(expression count, Option.map ident index, body inner)
    | For(item, index, items, inner) -> For(ident item, Option.map ident index, expression items, body inner)
    | If(branches, otherwise) ->
        If(branches |> List.map (fun (test, inner) -> expression test, body inner), Option.map body otherwise)
    | Combine(combinator, arguments, inner) -> Combine(combinator, List.map argument arguments, body inner)
    | Group inner -> Group(body inner)
    | Auxiliary(arguments, inner) -> Auxiliary(List.map argument arguments, body inner)
    | From name -> From(ident name)
    | Initialise(rules, trailing) -> Initialise(List.map setting rules, trailing)
    | Broken -> Broken

let private parameter (parameter: Parameter) : Parameter =
    { Name = ident parameter.Name; Default = Option.map expression parameter.Default }

let private declaration (declaration: Declaration) : Declaration =
    let kind =
        match declaration.Kind with
        | Import(path, _) -> Import(path, nowhere)
        | Constant(name, value) -> Constant(ident name, expression value)
        | Function(name, parameters, value) -> Function(ident name, List.map parameter parameters, expression value)
        | DeclarationKind.Block(name, parameters, inner) ->
            DeclarationKind.Block(ident name, List.map parameter parameters, body inner)
        | Network(name, parameters, inner) -> Network(ident name, List.map parameter parameters, body inner)
        | Train(name, settings, trailing) -> Train(Option.map ident name, List.map setting settings, trailing)

    { Kind = kind; Span = nowhere; Trivia = trivia declaration.Trivia }

/// Two files are the same tree where these are equal.
let meaning (file: File) =
    file.Declarations |> List.map declaration, file.Trailing

/// Parses text that must parse.
let parse syntax path (text: string) : File =
    let file, problems = SpecSyntax.parseAs syntax (Source.create path text)

    if not problems.IsEmpty then
        failwith $"{path} does not parse:\n{Render.all Render.plain problems}\n{text}"

    file
