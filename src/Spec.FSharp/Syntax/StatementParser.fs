/// The statements of networks and blocks.
module internal CnnSpec.Syntax.StatementParser

open System.Collections.Generic
open FParsec
open CnnSpec.Text
open CnnSpec.Syntax.Lexing
open CnnSpec.Syntax.ExpressionParser
open CnnSpec.Syntax.ItemParser

/// What a loop or a condition works on. A `{` here is the body already, unless it reads as a map with the body behind it.
let private subject (what: string) : Parser<Expr> =
    fun stream ->
        if stream.Peek() <> '{' then
            expression stream
        else
            let start = stream.State
            let reply = expression stream

            if reply.Status = Ok && (stream.Peek() = '{' || stream.Match "as") then
                reply
            else
                stream.BacktrackTo start
                Reply(Error, expected what)

let private statement, private statementRef =
    createParserForwardedToRef<StatementKind * Expr option * Ident list, ParserState>()

let private makeStatement ((kind, label, outputs), trivia, span) : Statement =
    { Kind = kind; Label = label; Outputs = outputs; Span = span; Trivia = trivia }

let body: Parser<Body> =
    let make (statements, trailing, span) : Body =
        { Statements = statements; Trailing = trailing; Span = span }

    let broken span =
        makeStatement ((Broken, None, []), Trivia.none, span)

    braced statement (Some broken) makeStatement |>> make

let private setting: Parser<Ident * Expr> =
    // `fc.1.weight`: after the first, parts may be numbers.
    let part = word |>> _.Name <|> (many1Satisfy System.Char.IsAsciiDigit .>> ws)

    let key =
        spanned (sepBy1 part (skipChar '.'))
        |>> fun (parts, span) ->
            let name = System.String.Join(".", parts)
            ({ Name = name; Span = { span with End = span.Start + (Span.text span).TrimEnd().Length } }: Ident)

    key .>> symbol "=" .>>. expression

/// `{ key = value … }`
let settings =
    braced setting None (fun ((key, value), trivia, _) -> { Key = key; Value = value; Trivia = trivia })

/// `3 x 32 x 32`
let dimensions: Parser<Expr list> =
    let times =
        attempt (skipChar 'x' .>> notFollowedBy (satisfy (fun c -> System.Char.IsLetter c || c = '_')) .>> ws)
        <|> symbol "×"
        <?> "'x'"

    sepBy1 term times

let private otherwise: Parser<Body option> =
    opt (attempt (wsLines >>. keyword "else") >>. ws >>. body)

let private conditional: Parser<StatementKind> =
    let branch = subject "a condition" .>>. body

    let rec more branches : Parser<StatementKind> =
        (attempt (wsLines >>. keyword "else" >>. keyword "if") >>. branch
         >>= fun next -> nested (more (next :: branches)))
        <|> (otherwise |>> fun last -> If(List.rev branches, last))

    branch >>= fun first -> more [ first ]

let private optionalArguments = opt (arguments .>> ws) |>> Option.defaultValue []

/// By keyword: what follows it.
let private keywordStatements: IDictionary<string, Parser<StatementKind>> =
    let equals = symbol "="

    let combinators =
        [
            for name, combinator in Combinator.table ->
                name, (optionalArguments .>>. body |>> fun (arguments, body) -> Combine(combinator, arguments, body))
        ]

    dict (
        combinators
        @ [
            "input", (dimensions |>> Input)
            "let", (identifier .>> equals .>>. expression |>> Let)
            "assert", (expression .>>. opt (symbol "," >>. expression) |>> Assert)
            "repeat",
            pipe3 (subject "a count") (opt (keyword "as" >>. identifier)) body (fun count index body ->
                Repeat(count, index, body))
            "for",
            pipe4
                identifier
                (opt (symbol "," >>. identifier))
                (keyword "in" >>. expression)
                body
                (fun item index items body -> For(item, index, items, body))
            "if", conditional
            "aux", (optionalArguments .>>. body |>> Auxiliary)
            "from", (identifier |>> From)
            "init", (settings |>> fun (rules, trailing, _) -> Initialise(rules, trailing))
        ]
    )

let private statementKind: Parser<StatementKind> =
    let group = body |>> Group
    let apply = identifier .>>. opt (arguments .>> ws) |>> Apply

    let byWord: Parser<StatementKind> =
        fun stream ->
            let start = stream.State
            let reply = word stream

            if reply.Status <> Ok then
                Reply(Error, expected "a statement")
            else
                match keywordStatements.TryGetValue reply.Result.Name with
                | true, parser -> parser stream
                | _ ->
                    stream.BacktrackTo start
                    apply stream

    fun stream -> if stream.Peek() = '{' then group stream else byWord stream

statementRef.Value <-
    // Any word, keywords included: what stands before `:` is a label.
    let bareLabel =
        word |>> fun name -> { Kind = StringLiteral [ Literal name.Name ]; Span = name.Span }

    let label = (stringLiteral .>> symbol ":") <|> attempt (bareLabel .>> symbol ":")

    let outputs =
        opt (keyword "as" >>. sepBy1 identifier (symbol ",")) |>> Option.defaultValue []

    nested (pipe3 (opt label) statementKind outputs (fun label kind outputs -> kind, label, outputs))
