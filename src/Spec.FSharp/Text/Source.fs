namespace CnnSpec.Text

open System

/// A spec's text and where it came from. Lines and columns are counted from 1, offsets (UTF-16 units) from 0.
[<CustomEquality; NoComparison>]
type Source =
    {
        Path: string
        Text: string
        LineStarts: int[]
    }

    override this.Equals other =
        match other with
        | :? Source as that -> this.Path = that.Path && this.Text = that.Text
        | _ -> false

    override this.GetHashCode() = this.Path.GetHashCode()

/// A stretch of a source, `Start` inclusive, `End` exclusive.
[<Struct; CustomEquality; NoComparison>]
type Span =
    {
        Source: Source
        Start: int
        End: int
    }

    override this.Equals other =
        match other with
        | :? Span as that -> this.Start = that.Start && this.End = that.End && this.Source.Path = that.Source.Path
        | _ -> false

    override this.GetHashCode() = HashCode.Combine(this.Start, this.End)

[<Struct>]
type Position = { Line: int; Column: int }

[<RequireQualifiedAccess>]
module Source =

    let private lineStarts (text: string) =
        let starts = ResizeArray [ 0 ]

        for index in 0 .. text.Length - 1 do
            if text[index] = '\n' then
                starts.Add(index + 1)

        starts.ToArray()

    let create path (text: string) =
        { Path = path; Text = text; LineStarts = lineStarts text }

    /// Line and column of an offset, by binary search in the line table.
    let position (source: Source) offset =
        let found = Array.BinarySearch(source.LineStarts, offset)
        let line = if found >= 0 then found else ~~~found - 1

        { Line = line + 1; Column = offset - source.LineStarts[line] + 1 }

    /// Where a line (counted from 1) begins, and its length without its line break.
    let lineExtent (source: Source) number =
        let start = source.LineStarts[number - 1]

        let finish =
            if number < source.LineStarts.Length then
                source.LineStarts[number] - 1
            else
                source.Text.Length

        let isReturn = finish > start && source.Text[finish - 1] = '\r'
        start, (if isReturn then finish - 1 else finish) - start

[<RequireQualifiedAccess>]
module Span =

    let create source start finish =
        { Source = source; Start = start; End = max start finish }

    let start (span: Span) = Source.position span.Source span.Start
    let finish (span: Span) = Source.position span.Source span.End

    /// From the start of one span to the end of another in the same source.
    let cover (first: Span) (last: Span) =
        { first with End = max first.End last.End }

    /// `line:column`, as diagnostics write it.
    let describe span =
        let position = start span
        $"{position.Line}:{position.Column}"

    let text (span: Span) =
        span.Source.Text.Substring(span.Start, span.End - span.Start)

    /// A statement's first line, up to the brace that opens its body: enough to point at.
    let firstLine (span: Span) =
        let text = span.Source.Text

        match text.IndexOfAny([| '{'; '\n' |], span.Start, span.End - span.Start) with
        | -1 -> span
        | stop ->
            let length = max 1 (stop - span.Start)
            { span with End = span.Start + text.Substring(span.Start, length).TrimEnd().Length }
