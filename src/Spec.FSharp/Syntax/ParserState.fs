namespace CnnSpec.Syntax

open System.Collections.Generic
open FParsec
open CnnSpec.Text

/// A comment (or an empty line, where `Text` is None) as met by the parser.
type Comment =
    {
        Offset: int
        Text: string option
        /// Nothing but white space before it on its line.
        OwnLine: bool
    }

[<RequireQualifiedAccess>]
module Comment =

    /// A comment is one line of text in either syntax: what would break or garble the line becomes a blank.
    let text (written: string) =
        let isBreak c =
            (System.Char.IsControl c && c <> '\t') || c = '\u2028' || c = '\u2029'

        (String.map (fun c -> if isBreak c then ' ' else c) written).TrimEnd()

    /// Leaves out empty lines at the start, and all but one in a row.
    let remarks isFirst (comments: Comment list) =
        let folded =
            ([], comments)
            ||> List.fold (fun kept comment ->
                match comment.Text, kept with
                | None, (EmptyLine :: _) -> kept
                | None, [] when isFirst -> kept
                | None, _ -> EmptyLine :: kept
                | Some text, _ -> CommentLine text :: kept)

        List.rev folded

    /// Without empty lines at the end.
    let trailing (remarks: Remark list) =
        remarks |> List.rev |> List.skipWhile ((=) EmptyLine) |> List.rev

/// Text of a source in another guise (unescaped, unquoted), and where each of its characters stands there.
type Excerpt = { Source: Source; Text: string; Place: int -> int }

[<RequireQualifiedAccess>]
module Excerpt =

    let ofSpan (source: Source) start finish =
        {
            Source = source
            Text = source.Text.Substring(start, finish - start)
            Place = fun index -> start + index
        }

/// What the parsers share. It is mutable and outlives backtracking, which is why comments are keyed by offset.
type ParserState(source: Source, place: int -> int) =
    let comments = ResizeArray<Comment>()
    let seen = HashSet<int>()
    let diagnostics = ResizeArray<Diagnostic>()

    member _.Source = source
    member _.Diagnostics = diagnostics
    /// How many `(` and `[` are open: inside them a line break is white space.
    member val OpenBrackets = 0 with get, set
    /// How deep expressions and bodies nest, so that no input can exhaust the stack.
    member val Nesting = 0 with get, set
    /// How many operators, indices and lets the expression at hand strings together: its tree is as deep.
    member val Links = 0 with get, set

    member _.Add(comment: Comment) =
        if seen.Add comment.Offset then
            comments.Add comment

    /// Comments met since the last call, in order.
    member _.TakeComments() =
        let taken = comments |> Seq.sortBy _.Offset |> Seq.toList
        comments.Clear()
        taken

    /// Gives back comments that were taken too early.
    member _.Restore(taken: Comment list) = comments.AddRange taken

    member _.Offset(stream: CharStream<ParserState>) = place (int stream.Index)

/// White space, comments, offsets, nesting: the layer under the grammar.
module internal Lexing =

    type Parser<'a> = Parser<'a, ParserState>

    /// Deeper nesting than this is refused; a network needs a dozen levels.
    let deepest = 200

    let offset: Parser<int> = fun stream -> Reply(stream.UserState.Offset stream)

    let span start finish (state: ParserState) = Span.create state.Source start finish

    let private skipWhile (stream: CharStream<ParserState>) newlines =
        let state = stream.UserState
        let mutable going = true
        let mutable breaks = 0

        let mutable ownLine = stream.Index = 0L

        while going do
            match stream.Peek() with
            | ' '
            | '\t'
            | '\u00a0'
            | '\ufeff' -> stream.Skip()
            | '\n'
            | '\r' when newlines ->
                stream.SkipNewline() |> ignore
                ownLine <- true
                breaks <- breaks + 1

                if breaks = 2 then
                    state.Add { Offset = state.Offset stream - 1; Text = None; OwnLine = true }
            | '/' when stream.Peek(1) = '/' ->
                let start = state.Offset stream
                stream.Skip 2
                let text = stream.ReadRestOfLine false

                state.Add { Offset = start; Text = Some(Comment.text text); OwnLine = ownLine }

                breaks <- 0
            | _ -> going <- false

    /// White space on this line and, inside brackets, line breaks too.
    let ws: Parser<unit> =
        fun stream ->
            skipWhile stream (stream.UserState.OpenBrackets > 0)
            Reply(())

    /// White space and line breaks.
    let wsLines: Parser<unit> =
        fun stream ->
            skipWhile stream true
            Reply(())

    let bracketed (parser: Parser<'a>) : Parser<'a> =
        fun stream ->
            let state = stream.UserState
            state.OpenBrackets <- state.OpenBrackets + 1
            let reply = parser stream
            state.OpenBrackets <- state.OpenBrackets - 1
            reply

    /// Line breaks separate again: a body inside brackets.
    let unbracketed (parser: Parser<'a>) : Parser<'a> =
        fun stream ->
            let state = stream.UserState
            let before = state.OpenBrackets
            state.OpenBrackets <- 0
            let reply = parser stream
            state.OpenBrackets <- before
            reply

    /// Fails for good, here, with these words. A changed state tag keeps FParsec from putting "expected an expression"
    /// in their place, as it does for parsers that fail where they began.
    let refuse (message: string) (stream: CharStream<ParserState>) : Reply<'a> =
        stream.StateTag <- stream.StateTag + 1u
        Reply(FatalError, messageError message)

    /// More operators in one expression than this are refused.
    let longest = 1000

    /// Counts one more link of the expression at hand.
    let link: Parser<unit> =
        fun stream ->
            let state = stream.UserState
            state.Links <- state.Links + 1

            if state.Links > longest then
                refuse $"this expression has more than {longest} operators" stream
            else
                Reply(())

    let nested (parser: Parser<'a>) : Parser<'a> =
        fun stream ->
            let state = stream.UserState
            let links = state.Links

            if state.Nesting >= deepest then
                refuse $"this nests more than {deepest} levels deep" stream
            else
                state.Nesting <- state.Nesting + 1
                state.Links <- 0
                let reply = parser stream
                state.Nesting <- state.Nesting - 1
                state.Links <- links
                reply

    let private isWordStart c = System.Char.IsLetter c || c = '_'

    let private isWordPart c =
        System.Char.IsLetterOrDigit c || c = '_'

    /// A bare word, keyword or not, and its span; white space behind it is skipped.
    let word: Parser<Ident> =
        fun stream ->
            if isWordStart (stream.Peek()) then
                let start = stream.UserState.Offset stream
                let text = stream.ReadCharsOrNewlinesWhile(isWordPart, false)
                let span = span start (stream.UserState.Offset stream) stream.UserState
                ws stream |> ignore
                Reply({ Name = text; Span = span }: Ident)
            else
                Reply(Error, expected "a name")

    let identifier: Parser<Ident> =
        fun stream ->
            let start = stream.State
            let reply = word stream

            if reply.Status = Ok && Keyword.reserved.Contains reply.Result.Name then
                stream.BacktrackTo start
                Reply(Error, ErrorMessageList.Merge(expected "a name", unexpected $"the keyword '{reply.Result.Name}'"))
            else
                reply

    let keyword name : Parser<unit> =
        fun stream ->
            let start = stream.State
            let reply = word stream

            if reply.Status = Ok && reply.Result.Name = name then
                Reply(())
            else
                stream.BacktrackTo start
                Reply(Error, expectedString name)

    let symbol (text: string) : Parser<unit> = skipString text .>> ws

    let spanned (parser: Parser<'a>) : Parser<'a * Span> =
        fun stream ->
            let start = stream.UserState.Offset stream
            let reply = parser stream

            if reply.Status = Ok then
                Reply(Ok, (reply.Result, span start (stream.UserState.Offset stream) stream.UserState), reply.Error)
            else
                Reply(reply.Status, reply.Error)
