/// What becomes of an item that does not parse: it is reported and skipped, so that one slip does not hide the others.
module internal CnnSpec.Syntax.Recovery

open FParsec
open CnnSpec.Text
open CnnSpec.Syntax.Lexing

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
let skip start (stream: CharStream<ParserState>) =
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
let report start (stream: CharStream<ParserState>) error =
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
let reportUnseparated (stream: CharStream<ParserState>) (item: Span) (error: ErrorMessageList) =
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
