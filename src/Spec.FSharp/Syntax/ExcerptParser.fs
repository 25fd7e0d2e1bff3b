/// Pieces of the `.cnn` language that stand in other texts: in the values of a YAML file, behind `--set name=`.
module internal CnnSpec.Syntax.ExcerptParser

open FParsec
open CnnSpec.Text
open CnnSpec.Syntax.Lexing

/// What stands in an excerpt, and nothing else.
let private parseExcerpt (parser: Parser<'a>) (excerpt: Excerpt) : Result<'a, Diagnostic> =
    let source = excerpt.Source
    let state = ParserState(source, excerpt.Place)

    match runParserOnString (parser .>> (eof <?> "the end of the value")) state source.Path excerpt.Text with
    | Success(result, _, _) ->
        match state.TakeComments() |> List.tryFind _.Text.IsSome with
        | None -> Result.Ok result
        | Some comment ->
            Diagnostic.error
                "E0105"
                (Span.create source comment.Offset (comment.Offset + 2))
                "a comment cannot stand here"
            |> Result.Error
    | Failure(_, error, _) ->
        Result.Error(SyntaxError.diagnose source (excerpt.Place(int error.Position.Index)) error.Messages)

let private alone parser =
    bracketed (wsLines >>. parser .>> wsLines)

let expression excerpt =
    parseExcerpt (alone ExpressionParser.expression) excerpt

/// `3 x 32 x 32`
let dimensions excerpt =
    parseExcerpt (alone StatementParser.dimensions) excerpt

/// Text with `{holes}`, as YAML writes it.
let template excerpt =
    parseExcerpt ExpressionParser.templateParts excerpt
