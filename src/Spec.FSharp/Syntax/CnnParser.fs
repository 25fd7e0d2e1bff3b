/// `.cnn` files: their declarations. What declares none is reported and skipped.
module CnnSpec.Syntax.CnnParser

open FParsec
open CnnSpec.Text
open CnnSpec.Syntax.Lexing
open CnnSpec.Syntax.ExpressionParser
open CnnSpec.Syntax.ItemParser
open CnnSpec.Syntax.StatementParser

let private parameters: Parser<Parameter list> =
    let parameter =
        identifier .>>. opt (symbol "=" >>. expression)
        |>> fun (name, value) -> { Name = name; Default = value }: Parameter

    (between (symbol "(") (symbol ")") (bracketed (ws >>. sepEndBy parameter (symbol ",") .>> ws))
     <|>% [])

/// `= expression`, or `{ let … ; expression }`.
let private functionBody: Parser<Expr> =
    let separators = skipMany (satisfy (fun c -> c = ';') >>. wsLines)

    let rec lines: Parser<Expr> =
        fun stream ->
            (wsLines
             >>. ((attempt (keyword "let") >>. link >>. identifier .>> symbol "=" .>>. expression
                   .>> wsLines
                   .>> separators
                   .>>. lines
                   |>> fun ((name, value), rest) ->
                       { Kind = LetIn(name, value, rest); Span = Span.cover name.Span rest.Span })
                  <|> (expression .>> wsLines .>> separators)))
                stream

    (symbol "=" >>. wsLines >>. expression)
    <|> nested (unbracketed (skipChar '{' >>. lines .>> skipChar '}' .>> ws))

let private declaration: Parser<DeclarationKind> =
    let path: Parser<string * Span> =
        fun stream ->
            let reply = stringLiteral stream

            match reply.Status, reply.Result with
            | Ok, { Kind = StringLiteral [ Literal text ]; Span = span } -> Reply((text, span))
            | Ok, _ -> Reply(Error, messageError "an import names its file with a plain string")
            | status, _ -> Reply(status, reply.Error)

    choice
        [
            keyword "import" >>. path |>> Import
            keyword "let" >>. identifier .>> symbol "=" .>>. expression |>> Constant
            keyword "fn"
            >>. pipe3 identifier parameters functionBody (fun name ps body -> Function(name, ps, body))
            keyword "block" >>. pipe3 identifier parameters body (fun name ps body -> Block(name, ps, body))
            keyword "network" >>. pipe3 identifier parameters body (fun name ps body -> Network(name, ps, body))
            keyword "train" >>. opt identifier .>>. settings
            |>> fun (name, (settings, trailing, _)) -> Train(name, settings, trailing)
        ]

/// Every declaration that parses, and a diagnostic for everything that does not.
let parse (source: Source) : File * Diagnostic list =
    let state = ParserState(source, id)

    let make (kind, trivia, span) : Declaration =
        { Kind = kind; Span = span; Trivia = trivia }

    match runParserOnString (items None declaration None make) state source.Path source.Text with
    | Success((declarations, trailing), _, _) ->
        { Source = source; Declarations = declarations; Trailing = trailing }, List.ofSeq state.Diagnostics
    | Failure(_, error, _) ->
        let span =
            Span.create source (int error.Position.Index) (int error.Position.Index + 1)

        { Source = source; Declarations = []; Trailing = [] },
        [ Diagnostic.error "E0101" span "this file cannot be read" ]
