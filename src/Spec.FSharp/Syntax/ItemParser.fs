/// Statements, settings and declarations alike are items: one a line, each with the comments around it.
module internal CnnSpec.Syntax.ItemParser

open FParsec
open CnnSpec.Text
open CnnSpec.Syntax.Lexing

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

/// Items up to `closing` (or the end of the file, where there is none), separated by line breaks or `;`, each with its
/// comments; broken ones are reported and left out, or stand as `broken` says.
let items
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
                    Recovery.report start stream reply.Error
                    let at = state.Offset stream
                    Recovery.skip start stream
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
                        Recovery.reportUnseparated stream whole reply.Error
                        Recovery.skip start stream

                // A stray character that begins nothing must not stop the file from being read.
                if stream.Index = before then
                    stream.Skip()

                skipSeparators ()

        let trailing = state.TakeComments() |> Comment.remarks (result.Count = 0)
        Reply((List.ofSeq result, Comment.trailing trailing))

/// `{ item … }`
let braced (item: Parser<'a>) broken finish : Parser<'b list * Remark list * Span> =
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
