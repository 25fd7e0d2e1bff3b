/// Text of others (names of files and classes, a spec's own words) as it may stand on a terminal or a page.
[<RequireQualifiedAccess>]
module CnnSpec.Text.Printable

open System
open System.Text

/// What moves a cursor, colours a terminal, or turns around or hides what follows: control characters, Unicode's signs of
/// direction, its separators of lines, and halves of pairs.
let private isHarmful (c: char) =
    (Char.IsControl c && c <> '\n')
    || (c >= '\u200e' && c <= '\u200f')
    || (c >= '\u2028' && c <= '\u202e')
    || (c >= '\u2066' && c <= '\u2069')
    || c = '\ufeff'

/// Harmful characters as `\u001b`; all others, and line breaks, as they are.
let lines (text: string) =
    if String.exists (fun c -> isHarmful c || Char.IsSurrogate c) text then
        let output = StringBuilder()

        text
        |> String.iteri (fun i c ->
            let isPaired =
                (Char.IsHighSurrogate c && i + 1 < text.Length && Char.IsLowSurrogate text[i + 1])
                || (Char.IsLowSurrogate c && i > 0 && Char.IsHighSurrogate text[i - 1])

            if isHarmful c || (Char.IsSurrogate c && not isPaired) then
                output.Append("\\u" + (int c).ToString "x4") |> ignore
            else
                output.Append c |> ignore)

        output.ToString()
    else
        text

/// The same for what must stay on one line, such as a name.
let name (text: string) = (lines text).Replace("\n", "\\n")

/// Harmful characters as single spaces, so that columns stay what they are.
let aligned (text: string) =
    String.map (fun c -> if isHarmful c || c = '\n' then ' ' else c) text
