namespace CnnSpec.Text

open System
open System.Text

/// Diagnostics as text for a terminal: header, source lines with carets, notes and help.
[<RequireQualifiedAccess>]
module Render =

    /// How to paint; `plain` paints nothing.
    type Palette =
        {
            Error: string -> string
            Warning: string -> string
            Frame: string -> string
            Help: string -> string
        }

    let plain = { Error = id; Warning = id; Frame = id; Help = id }

    let private escape code (text: string) = $"\u001b[{code}m{text}\u001b[0m"

    let ansi =
        {
            Error = escape "1;31"
            Warning = escape "1;33"
            Frame = escape "34"
            Help = escape "1;32"
        }

    /// The longest stretch of a source line that is shown; a longer line is cut around the span.
    let private widest = 160

    /// Line text as shown (tabs and control characters become single spaces, so carets stay aligned), the column of the
    /// first caret (from 0), and how many carets. Of a line, however long, only what is shown is looked at.
    let private excerpt (span: Span) =
        let first = Span.start span
        let start, length = Source.lineExtent span.Source first.Line
        let from = min (first.Column - 1) length

        let marked =
            if (Span.finish span).Line = first.Line then
                span.End - span.Start
            else
                length - from

        let cut =
            if length <= widest then
                0
            else
                max 0 (min (from - widest / 3) (length - widest))

        let text = span.Source.Text.Substring(start + cut, min widest (length - cut))
        let shown = Printable.aligned text
        let lead = if cut > 0 then "…" else ""
        lead + shown, from - cut + lead.Length, max 1 (min marked (shown.Length - (from - cut)))

    let diagnostic (palette: Palette) (diagnostic: Diagnostic) =
        let output = StringBuilder()

        let paint, word =
            match diagnostic.Severity with
            | Severity.Error -> palette.Error, "error"
            | Severity.Warning -> palette.Warning, "warning"

        let labels = diagnostic.Primary :: diagnostic.Related
        let number (label: Label) = (Span.start label.Span).Line

        let width =
            labels |> List.map (fun label -> (string (number label)).Length) |> List.max

        let gutter (text: string) = palette.Frame(text.PadLeft width + "│")

        let append (line: string) =
            output.Append(line.TrimEnd()).Append('\n') |> ignore

        let place (span: Span) =
            $"{Printable.name span.Source.Path}:{Span.describe span}"

        append $"""{paint $"{word}[{diagnostic.Code}]"}: {Printable.lines diagnostic.Message}"""
        append (palette.Frame("".PadLeft width + "┌─ ") + place diagnostic.Primary.Span)

        let show (label: Label) isPrimary =
            let text, column, length = excerpt label.Span
            let marks = String((if isPrimary then '^' else '-'), length)
            let marks = if isPrimary then paint marks else palette.Frame marks
            append (gutter (string (number label)) + " " + text)
            append (gutter "" + " " + String(' ', column) + marks + " " + Printable.name label.Text)

        let mutable path = diagnostic.Primary.Span.Source.Path

        labels
        |> List.iteri (fun index label ->
            if label.Span.Source.Path <> path then
                path <- label.Span.Source.Path
                append (palette.Frame("".PadLeft width + "├─ ") + place label.Span)

            show label (index = 0))

        for note in diagnostic.Notes do
            append (Printable.lines note)

        match diagnostic.Help with
        | Some help -> append (palette.Help "help" + ": " + Printable.lines help)
        | None -> ()

        output.ToString()

    /// All of them, an empty line between.
    let all palette (diagnostics: Diagnostic list) =
        diagnostics |> List.map (diagnostic palette) |> String.concat "\n"
