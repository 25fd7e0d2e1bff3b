/// The grammar of `.cnn` files. A statement that does not parse is reported and skipped, so that one slip does not hide
/// the others.
module CnnSpec.Syntax.CnnParser

open System.Collections.Generic
open FParsec
open CnnSpec.Text
open CnnSpec.Syntax.Lexing
open CnnSpec.Syntax.ExpressionParser

/// Whether nothing but white space and `;` lies between a place and what stands before it on its line.
let private isJoined (text: string) offset =
    let isBreak c = c = '\n' || c = '\r'
    let mutable before = offset - 1

    while before >= 0
          && (text[before] = ';' || (System.Char.IsWhiteSpace text[before] && not (isBreak text[before]))) do
        before <- before - 1

    before >= 0 && not (isBreak text[before]) && text[before] <> '\ufeff'

/// Reads the item that stands here together with its comments: those above it, those inside it (moved above), and the
/// one behind it on the same line.
let private withTrivia isFirst (parser: Parser<'a>) : Parser<'a * Trivia * Span> =
    fun stream ->
        let state = stream.UserState
        let start = state.Offset stream
        // Looking for an `else` may have read a word too many, and the comment behind it.
        let above, later =
            state.TakeComments() |> List.partition (fun c -> c.Offset < start)

        state.Restore later
        let reply = parser stream

        if reply.Status <> Ok then
            Reply(reply.Status, reply.Error)
        else
            let text = state.Source.Text
            let mutable finish = state.Offset stream

            while finish > start && System.Char.IsWhiteSpace text[finish - 1] do
                finish <- finish - 1

            ws stream |> ignore
            // Looking for an `else` on the next line may have read comments that belong to the next item.
            let here, later =
                state.TakeComments() |> List.partition (fun c -> c.Offset < state.Offset stream)

            state.Restore later
            let behind, inside = here |> List.partition (fun c -> not c.OwnLine)
            // Of several comments behind pieces of one long statement only the last stands behind the whole.
            let inside =
                (inside @ List.truncate (behind.Length - 1) behind) |> List.filter _.Text.IsSome

            let behind = behind |> List.tryLast
            let finish = behind |> Option.fold (fun finish c -> min finish c.Offset) finish

            let trivia =
                {
                    Above =
                        Comment.remarks isFirst above
                        @ (inside |> List.sortBy _.Offset |> List.choose _.Text |> List.map CommentLine)
                    Behind = behind |> Option.bind _.Text
                    Joined = isJoined text start
                }

            let span =
                span start (start + text.Substring(start, finish - start).TrimEnd().Length) state

            Reply(Ok, (reply.Result, trivia, span), reply.Error)

/// The brackets that text between two offsets opens and does not close, innermost first. Text in quotes and comments do
/// not count.
let private openBrackets (text: string) start finish =
    let mutable brackets = []
    let mutable at = start

    let skipUntil stop =
        while at < finish && text[at] <> '\n' && text[at] <> stop do
            at <- at + (if text[at] = '\\' then 2 else 1)

    while at < finish do
        match text[at] with
        | '"' ->
            at <- at + 1
            skipUntil '"'
        | '/' when at + 1 < finish && text[at + 1] = '/' -> skipUntil '\n'
        | '('
        | '['
        | '{' -> brackets <- at :: brackets
        | ')'
        | ']'
        | '}' -> brackets <- (if brackets.IsEmpty then [] else brackets.Tail)
        | _ -> ()

        at <- at + 1

    brackets

/// Skips what is left of an item that began at `start` and did not parse: to the end of its line or to `;`, over whole
/// `{ … }` bodies and out of those that it opened.
let private recover start (stream: CharStream<ParserState>) =
    let state = stream.UserState
    let text = state.Source.Text

    let mutable depth =
        openBrackets text start (min text.Length (state.Offset stream))
        |> List.filter (fun at -> text[at] = '{')
        |> List.length

    let mutable going = true

    while going && not stream.IsEndOfStream do
        match stream.Peek() with
        | '{' ->
            depth <- depth + 1
            stream.Skip()
        | '}' when depth = 0 -> going <- false
        | '}' ->
            depth <- depth - 1
            stream.Skip()
        | ';' when depth = 0 -> going <- false
        | '\n'
        | '\r' ->
            if depth = 0 then
                going <- false
            else
                stream.SkipNewline() |> ignore
        | '/' when stream.Peek 1 = '/' -> stream.SkipRestOfLine false
        | _ -> stream.Skip()

/// Says why the item that began at `start` does not parse. Where the mistake shows on a later line, a bracket that was
/// forgotten is the likely cause.
let private report start (stream: CharStream<ParserState>) error =
    let state = stream.UserState
    let offset = state.Offset stream
    let text = state.Source.Text
    let line at = (Source.position state.Source at).Line

    let unclosed =
        openBrackets text start (min text.Length offset)
        |> List.tryHead
        |> Option.filter (fun at -> text[at] <> '{' && line at < line offset)
        |> Option.map (fun at -> { Span = span at (at + 1) state; Text = "this is never closed" })

    SyntaxError.diagnose state.Source offset error
    |> Diagnostic.withRelated (Option.toList unclosed)
    |> state.Diagnostics.Add

    state.TakeComments() |> ignore

/// Reports what follows an item on its line; where the item begins as a keyword almost does, that is likely the cause.
let private reportUnseparated (stream: CharStream<ParserState>) (item: Span) (error: ErrorMessageList) =
    let state = stream.UserState
    let error = ErrorMessageList.Merge(expected "a line break or ';'", error)
    let diagnostic = SyntaxError.diagnose state.Source (state.Offset stream) error
    let first = (Span.text item).Split([| ' '; '('; '{' |])[0]

    state.Diagnostics.Add(
        match Suggest.nearest first Keyword.reserved with
        | Some near -> Diagnostic.withHelp $"did you mean '{near}' instead of '{first}'?" diagnostic
        | None -> diagnostic
    )

    state.TakeComments() |> ignore

/// Items up to `closing` (or the end of the file, where there is none), separated by line breaks or `;`, each with its
/// comments; broken ones are reported and left out, or stand as `broken` says.
let private items
    (closing: char option)
    (item: Parser<'a>)
    (broken: (Span -> 'b) option)
    (finish: 'a * Trivia * Span -> 'b)
    : Parser<'b list * Remark list> =
    fun stream ->
        let state = stream.UserState
        let result = ResizeArray<'b>()
        let mutable going = true

        let skipSeparators () =
            wsLines stream |> ignore

            while stream.Skip ';' do
                wsLines stream |> ignore

        skipSeparators ()

        while going do
            if
                stream.IsEndOfStream
                || (closing.IsSome && stream.Peek() = closing.Value)
                || state.Diagnostics.Count >= Diagnostic.most
            then
                going <- false
            else
                let before = stream.Index
                let start = state.Offset stream
                let reply = withTrivia (result.Count = 0) item stream

                if reply.Status <> Ok then
                    report start stream reply.Error
                    let at = state.Offset stream
                    recover start stream
                    broken |> Option.iter (fun make -> result.Add(make (span at at state)))
                else
                    let separated =
                        match stream.Peek() with
                        | '\n'
                        | '\r'
                        | ';' -> true
                        | c -> Some c = closing || stream.IsEndOfStream

                    let _, _, whole = reply.Result

                    match separated, broken with
                    | true, _ -> result.Add(finish reply.Result)
                    | false, Some make -> result.Add(make whole)
                    | false, None -> ()

                    if not separated then
                        reportUnseparated stream whole reply.Error
                        recover start stream

                // A stray character that begins nothing must not stop the file from being read.
                if stream.Index = before then
                    stream.Skip()

                skipSeparators ()

        let trailing = state.TakeComments() |> Comment.remarks (result.Count = 0)
        Reply((List.ofSeq result, Comment.trailing trailing))

/// `{ item … }`
let private braced (item: Parser<'a>) broken finish : Parser<'b list * Remark list * Span> =
    nested (
        unbracketed (fun stream ->
            let start = stream.UserState.Offset stream

            if not (stream.Skip '{') then
                Reply(Error, expectedString "{")
            else
                let outer = stream.UserState.TakeComments()
                let reply = items (Some '}') item broken finish stream
                let list, trailing = reply.Result
                let finish = stream.UserState.Offset stream

                if stream.Skip '}' then
                    let body = span start (stream.UserState.Offset stream) stream.UserState
                    ws stream |> ignore
                    stream.UserState.Restore outer
                    Reply((list, trailing, body))
                elif stream.UserState.Diagnostics.Count >= Diagnostic.most then
                    Reply((list, trailing, span start finish stream.UserState))
                else
                    let state = stream.UserState

                    state.Diagnostics.Add(
                        Diagnostic.error "E0102" (span finish finish state) "expected '}', found the end of the file"
                        |> Diagnostic.withRelated
                            [ { Span = span start (start + 1) state; Text = "this is never closed" } ]
                    )

                    Reply((list, trailing, span start finish state)))
    )

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

let private body: Parser<Body> =
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

let private settings =
    braced setting None (fun ((key, value), trivia, _) -> { Key = key; Value = value; Trivia = trivia })

let private dimensionList: Parser<Expr list> =
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
            "input", (dimensionList |>> Input)
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

let parseExpressionIn excerpt = parseExcerpt (alone expression) excerpt

/// `3 x 32 x 32`
let parseDimensionsIn excerpt =
    parseExcerpt (alone dimensionList) excerpt

/// Text with `{holes}`, as the YAML dress writes it.
let parseTemplateIn excerpt = parseExcerpt templateParts excerpt

/// One expression that stands at `start` in its source, such as the value of `--set name=value`.
let parseExpression (source: Source) start finish : Result<Expr, Diagnostic> =
    parseExpressionIn (Excerpt.ofSpan source start finish)
