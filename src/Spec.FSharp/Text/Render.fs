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
    /// first caret (from 0), and how many carets.
    let private excerpt (span: Span) =
        let first = Span.start span
        let text = Source.line span.Source first.Line
        let shown = String.map (fun c -> if Char.IsControl c then ' ' else c) text
        let from = min (first.Column - 1) shown.Length

        let length =
            if (Span.finish span).Line = first.Line then
                span.End - span.Start
            else
                shown.Length - from

        let length = max 1 (min length (max 1 (shown.Length - from)))

        if shown.Length <= widest then
            shown, from, length
        else
            let start = max 0 (min (from - widest / 3) (shown.Length - widest))
            let cut = shown.Substring(start, min widest (shown.Length - start))
            let lead = if start > 0 then "…" else ""
            lead + cut, from - start + lead.Length, min length (max 1 (cut.Length - (from - start)))

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
            $"{span.Source.Path}:{Span.describe span}"

        append $"""{paint $"{word}[{diagnostic.Code}]"}: {diagnostic.Message}"""
        append (palette.Frame("".PadLeft width + "┌─ ") + place diagnostic.Primary.Span)

        let show (label: Label) isPrimary =
            let text, column, length = excerpt label.Span
            let marks = String((if isPrimary then '^' else '-'), length)
            let marks = if isPrimary then paint marks else palette.Frame marks
            append (gutter (string (number label)) + " " + text)
            append (gutter "" + " " + String(' ', column) + marks + " " + label.Text)

        let mutable path = diagnostic.Primary.Span.Source.Path

        labels
        |> List.iteri (fun index label ->
            if label.Span.Source.Path <> path then
                path <- label.Span.Source.Path
                append (palette.Frame("".PadLeft width + "├─ ") + place label.Span)

            show label (index = 0))

        for note in diagnostic.Notes do
            append note

        match diagnostic.Help with
        | Some help -> append (palette.Help "help" + ": " + help)
        | None -> ()

        output.ToString()

    /// All of them, an empty line between.
    let all palette (diagnostics: Diagnostic list) =
        diagnostics |> List.map (diagnostic palette) |> String.concat "\n"
