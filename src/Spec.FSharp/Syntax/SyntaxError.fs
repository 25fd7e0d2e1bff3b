/// FParsec's error lists as one sentence of ours.
module internal CnnSpec.Syntax.SyntaxError

open System
open FParsec
open FParsec.Error
open CnnSpec.Text

let private alternatives (words: string list) =
    match List.rev words with
    | [] -> ""
    | [ one ] -> one
    | last :: rest -> String.Join(", ", List.rev rest) + " or " + last

let rec private flatten (messages: ErrorMessageList) : ErrorMessage list =
    ErrorMessageList.ToSortedArray messages
    |> Array.toList
    |> List.collect (fun message ->
        match message with
        | NestedError(_, _, inner)
        | CompoundError(_, _, _, inner) -> message :: flatten inner
        | _ -> [ message ])

/// What stands at the offset, as a reader would name it, and how long it is.
let private found (source: Source) offset =
    let text = source.Text

    if offset >= text.Length then
        "the end of the file", 0
    else
        match text[offset] with
        | '\n'
        | '\r' -> "the end of the line", 1
        | c when Char.IsLetterOrDigit c || c = '_' ->
            let mutable finish = offset

            while finish < text.Length
                  && finish - offset < 40
                  && (Char.IsLetterOrDigit text[finish] || text[finish] = '_') do
                finish <- finish + 1

            $"'{text.Substring(offset, finish - offset)}'", finish - offset
        | c when Char.IsControl c -> $"the control character U+%04X{int c}", 1
        | c when Char.IsHighSurrogate c && offset + 1 < text.Length -> $"'{text.Substring(offset, 2)}'", 2
        | c -> $"'{c}'", 1

/// A diagnostic for a failed parser: `E0103` where something nests too deeply or a number is too large, else `E0101`.
let diagnose (source: Source) offset (messages: ErrorMessageList) =
    let messages = flatten messages

    let said =
        messages
        |> List.tryPick (fun m ->
            match m with
            | Message text -> Some text
            | _ -> None)

    let expectations =
        messages
        |> List.choose (fun m ->
            match m with
            // FParsec's names for what its operator parser could also have met.
            | Expected("prefix operator" | "infix operator" | "postfix operator") -> None
            | Expected label -> Some label
            // Inside text everything can be escaped: not worth saying.
            | ExpectedString "\\" -> None
            | ExpectedString text
            | ExpectedStringCI text -> Some $"'{text}'"
            | _ -> None)
        |> List.distinct

    let unexpected =
        messages
        |> List.tryPick (fun m ->
            match m with
            | Unexpected label -> Some label
            | _ -> None)

    let what, length = found source offset
    let span = Span.create source offset (offset + length)
    let what = defaultArg unexpected what

    match said, expectations with
    | Some text, _ -> Diagnostic.error "E0103" span text
    | None, [] -> Diagnostic.error "E0101" span $"{what} cannot stand here"
    | None, _ ->
        let diagnostic =
            Diagnostic.error "E0101" span $"expected {alternatives expectations}, found {what}"

        // Behind a value.
        if what = "'='" && List.contains "'['" expectations then
            diagnostic |> Diagnostic.withHelp "values are compared with =="
        else
            diagnostic
