/// Expressions: numbers, text with holes, lists, maps, calls, arithmetic.
module internal CnnSpec.Syntax.ExpressionParser

open System
open System.Globalization
open FParsec
open CnnSpec.Text
open CnnSpec.Syntax.Lexing

let expression, private expressionRef =
    createParserForwardedToRef<Expr, ParserState>()

let private make start finish state kind : Expr =
    { Kind = kind; Span = span start finish state }

/// Runs a parser for an expression's kind and gives it its span (without the white space behind it).
let private located (parser: Parser<ExprKind>) : Parser<Expr> =
    fun stream ->
        let start = stream.UserState.Offset stream
        let reply = parser stream

        if reply.Status = Ok then
            let finish = stream.UserState.Offset stream
            ws stream |> ignore
            Reply(Ok, make start finish stream.UserState reply.Result, reply.Error)
        else
            Reply(reply.Status, reply.Error)

/// `12`, `45_000`, `1e-3`, `0.5`; `k`, `M` and `G` multiply by a thousand, a million, a thousand million.
let private number: Parser<ExprKind> =
    let isDigit c = Char.IsAsciiDigit c || c = '_'

    let multiplier c =
        match c with
        | 'k' -> 1_000L
        | 'M' -> 1_000_000L
        | 'G' -> 1_000_000_000L
        | _ -> 1L

    fun stream ->
        if not (Char.IsAsciiDigit(stream.Peek())) then
            Reply(Error, expected "a number")
        else
            let start = stream.State
            let mutable text = stream.ReadCharsOrNewlinesWhile(isDigit, false)
            let mutable isFloat = false

            if stream.Peek() = '.' && Char.IsAsciiDigit(stream.Peek 1) then
                stream.Skip()
                isFloat <- true
                text <- text + "." + stream.ReadCharsOrNewlinesWhile(isDigit, false)

            if
                (stream.Peek() = 'e' || stream.Peek() = 'E')
                && (Char.IsAsciiDigit(stream.Peek 1)
                    || ((stream.Peek 1 = '-' || stream.Peek 1 = '+') && Char.IsAsciiDigit(stream.Peek 2)))
            then
                isFloat <- true
                text <- text + "e" + string (stream.Peek 1)
                stream.Skip 2
                text <- text + stream.ReadCharsOrNewlinesWhile(isDigit, false)

            let scale = multiplier (stream.Peek())
            let suffixed = scale > 1L && not (Char.IsLetterOrDigit(stream.Peek 1))

            if suffixed then
                stream.Skip()

            let digits = text.Replace("_", "")
            let written = if suffixed then text + string (stream.Peek -1) else text

            if isFloat then
                let value = Double.Parse(digits, CultureInfo.InvariantCulture)
                let value = if suffixed then value * float scale else value

                if Double.IsFinite value then
                    Reply(FloatLiteral(value, written))
                else
                    stream.BacktrackTo start
                    refuse "this number is too large" stream
            else
                match Int64.TryParse digits with
                | true, value when not suffixed || value <= Int64.MaxValue / scale ->
                    if suffixed then
                        Reply(FloatLiteral(float (value * scale), written))
                    else
                        Reply(IntLiteral(value, written))
                | _ ->
                    stream.BacktrackTo start
                    refuse "this number is too large" stream

/// `"text"`, with `\"`, `\\`, `\n`, `\t`, `\{`, `\}` and `{expression}` holes.
let private stringParts: Parser<StringPart list> =
    let escapes =
        dict [ '"', '"'; '\\', '\\'; 'n', '\n'; 't', '\t'; '{', '{'; '}', '}' ]

    let plain =
        many1Satisfy (fun c -> c <> '"' && c <> '\\' && c <> '{' && c <> '\n' && c <> '\r')

    let escape =
        pchar '\\'
        >>. (satisfyL escapes.ContainsKey "one of \\\" \\\\ \\n \\t \\{ \\}" |>> fun c -> string escapes[c])

    let text = many1Strings (plain <|> escape) |>> Literal
    let hole = between (pchar '{' .>> ws) (pchar '}') (bracketed expression) |>> Hole
    between (pchar '"') (pchar '"' <?> "a closing \"") (many (text <|> hole <?> "a closing \""))

let stringLiteral: Parser<Expr> = located (stringParts |>> StringLiteral)

let private listItems closing item =
    bracketed (ws >>. sepEndBy item (symbol ",") .>> ws) .>> skipString closing

let argument: Parser<Argument> =
    // Any word, keywords included: what stands before `=` is a name.
    let name = attempt (word .>> (pchar '=' >>? notFollowedBy (pchar '=')) .>> ws)

    pipe2 (opt name) expression (fun name value -> { Name = name; Value = value })

/// `(a, b, name=c)`
let arguments: Parser<Argument list> = skipChar '(' >>. listItems ")" argument

let private list: Parser<ExprKind> =
    skipChar '[' >>. listItems "]" expression |>> ListLiteral

let private map: Parser<ExprKind> =
    let bareKey =
        located (identifier |>> fun name -> StringLiteral [ Literal name.Name ])

    let key = stringLiteral <|> bareKey <?> "a key"
    let entry = key .>> symbol ":" .>>. expression
    skipChar '{' >>. listItems "}" entry |>> MapLiteral

let private reservedValue: Parser<ExprKind> =
    choice
        [
            keyword "true" >>% BoolLiteral true
            keyword "false" >>% BoolLiteral false
            keyword "none" >>% NoneLiteral
        ]

let private nameOrCall: Parser<Expr> =
    identifier .>>. opt (spanned arguments .>> ws)
    |>> fun (name, call) ->
        match call with
        | None -> { Kind = Name name.Name; Span = name.Span }
        | Some(arguments, span) -> { Kind = Call(name, arguments); Span = Span.cover name.Span span }

let private conditional: Parser<Expr> =
    spanned (
        keyword "if" >>. ws >>. expression .>> ws .>> keyword "then" .>> ws .>>. expression
        .>> ws
        .>> keyword "else"
        .>> ws
        .>>. expression
    )
    |>> fun (((condition, whenTrue), whenFalse), span) ->
        {
            Kind = Conditional(condition, whenTrue, whenFalse)
            Span = Span.cover span whenFalse.Span
        }

let private parenthesised: Parser<Expr> =
    skipChar '(' >>. bracketed (ws >>. expression .>> ws) .>> skipChar ')' .>> ws

let private atom: Parser<Expr> =
    choiceL
        [
            located number
            stringLiteral
            located list
            located map
            parenthesised
            located (attempt reservedValue)
            conditional
            nameOrCall
        ]
        "an expression"

/// An expression that no operator touches, for `input 3 x 32 x 32`; `[index]` may follow it.
let term: Parser<Expr> =
    let index =
        spanned (skipChar '[' >>. link >>. bracketed (ws >>. expression .>> ws) .>> skipChar ']') .>> ws

    atom .>>. many index
    |>> fun (first, indices) ->
        (first, indices)
        ||> List.fold (fun target (at, span) -> { Kind = ElementAt(target, at); Span = Span.cover target.Span span })

let private operators =
    let precedence = OperatorPrecedenceParser<Expr, int, ParserState>()
    precedence.TermParser <- term
    let isLetters (text: string) = Char.IsLetter text[0]

    /// What follows an operator: for words no further letter, then white space, line breaks included.
    let after (text: string) : Parser<int> =
        let boundary =
            if isLetters text then
                notFollowedBy (satisfy (fun c -> Char.IsLetterOrDigit c || c = '_'))
            else
                preturn ()

        boundary >>. link >>. offset .>> wsLines |>> fun finish -> finish - text.Length

    for text, level, operator in BinaryOperator.table do
        let associativity =
            if operator = Power then
                Associativity.Right
            else
                Associativity.Left

        precedence.AddOperator(
            InfixOperator(
                text,
                after text,
                level,
                associativity,
                (),
                fun _ left right -> { Kind = Binary(operator, left, right); Span = Span.cover left.Span right.Span }
            )
        )

    for text, operator in [ "-", Negate; "not", Not ] do
        precedence.AddOperator(
            PrefixOperator(
                text,
                after text,
                BinaryOperator.unaryPrecedence,
                true,
                (),
                fun start operand -> { Kind = Unary(operator, operand); Span = { operand.Span with Start = start } }
            )
        )

    precedence.ExpressionParser

expressionRef.Value <- nested operators <?> "an expression"

/// Text of YAML, already unquoted: `{expression}` is a hole, `{{` and `}}` are braces.
let templateParts: Parser<StringPart list> =
    let plain = many1Satisfy (fun c -> c <> '{' && c <> '}')
    let brace = stringReturn "{{" "{" <|> stringReturn "}}" "}"
    let text = many1Strings (plain <|> brace) |>> Literal
    let hole = between (pchar '{' .>> ws) (pchar '}') (bracketed expression) |>> Hole
    many (text <|> hole)
