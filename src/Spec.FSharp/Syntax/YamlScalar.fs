/// What a YAML scalar says, with the place of each character, and where the comments between the scalars are.
module internal CnnSpec.Syntax.YamlScalar

open System
open System.Globalization
open System.Text
open CnnSpec.Text
open CnnSpec.Syntax.YamlTree
open YamlDotNet.Core

/// The escapes of double quotes, by the letter behind the backslash.
let private escapes =
    dict
        [
            '0', "\000"
            'a', "\a"
            'b', "\b"
            't', "\t"
            '\t', "\t"
            'n', "\n"
            'v', "\v"
            'f', "\f"
            'r', "\r"
            'e', "\u001b"
            ' ', " "
            '"', "\""
            '/', "/"
            '\\', "\\"
            'N', "\u0085"
            '_', "\u00a0"
            'L', "\u2028"
            'P', "\u2029"
        ]

/// The characters between the quotes, unescaped, and where each was written.
let private unquote (source: Source) start finish isDouble =
    let text = source.Text
    let value = StringBuilder()
    let places = ResizeArray<int>()
    let mutable at = start + 1

    let add (characters: string) width =
        for c in characters do
            value.Append c |> ignore
            places.Add at

        at <- at + width

    let hexadecimal digits =
        let code =
            Int32.Parse(text.Substring(at + 2, digits), NumberStyles.HexNumber, CultureInfo.InvariantCulture)

        add (Char.ConvertFromUtf32 code) (digits + 2)

    while at < finish - 1 do
        match text[at] with
        | '\\' when isDouble ->
            match text[at + 1] with
            | 'x' -> hexadecimal 2
            | 'u' -> hexadecimal 4
            | 'U' -> hexadecimal 8
            | letter ->
                match escapes.TryGetValue letter with
                | true, characters -> add characters 2
                | _ -> add (string letter) 2
        | '\'' when not isDouble -> add "'" 2
        | c -> add (string c) 1

    value.ToString(), places

/// A quoted scalar's text. Each character has its place unless the scalar goes over several lines or has surrogate
/// escapes; then they all stand near its beginning.
let quoted (source: Source) (node: Node) style (value: string) : Excerpt =
    let exact =
        try
            let text, places =
                unquote source node.Start node.End (style = ScalarStyle.DoubleQuoted)

            if text = value then Some places else None
        with
        | :? ArgumentException
        | :? FormatException -> None

    let place =
        match exact with
        | Some places -> fun index -> if index < places.Count then places[index] else node.End - 1
        | None -> fun index -> min (node.Start + 1 + index) (node.End - 1)

    { Source = source; Text = value; Place = place }

/// The lines of a `|` or `>` scalar, below its header.
let block (source: Source) (node: Node) : Excerpt =
    let header = source.Text.IndexOf('\n', node.Start)

    let start =
        if header < 0 || header >= node.End then
            node.End
        else
            header + 1

    Excerpt.ofSpan source start node.End

/// From the first character in which a comment could not begin to the last.
let private opaque (source: Source) (node: Node) style =
    match style with
    | ScalarStyle.Literal
    | ScalarStyle.Folded ->
        let line = source.Text.IndexOf('\n', node.Start)
        (if line < 0 then node.End else min line node.End), node.End
    | _ -> node.Start, node.End

let rec private scalars (source: Source) (node: Node) : (int * int) seq =
    seq {
        match node.Kind with
        | Scalar(style, _) -> opaque source node style
        | Sequence(_, items) ->
            for item in items do
                yield! scalars source item
        | Mapping(_, entries) ->
            for key, value in entries do
                yield! scalars source key
                yield! scalars source value
        | Refused -> node.Start, node.End
    }

/// Comments and empty lines, in order: every `#` that stands between scalars begins one.
let comments (source: Source) (root: Node option) : Comment list =
    let text = source.Text
    let found = ResizeArray<Comment>()
    let mutable at = 0
    let mutable ownLine = true
    let mutable breaks = 0

    let scanTo finish =
        while at < finish do
            match text[at] with
            | '#' ->
                let stop = text.IndexOfAny([| '\n'; '\r' |], at)
                let stop = if stop < 0 then text.Length else stop

                found.Add
                    {
                        Offset = at
                        Text = Some(Comment.text (text.Substring(at + 1, stop - at - 1)))
                        OwnLine = ownLine
                    }

                at <- stop
                breaks <- 0
            | '\n' ->
                ownLine <- true
                breaks <- breaks + 1

                if breaks = 2 then
                    found.Add { Offset = at; Text = None; OwnLine = true }

                at <- at + 1
            | c ->
                if not (Char.IsWhiteSpace c || c = '\ufeff') then
                    ownLine <- false
                    breaks <- 0

                at <- at + 1

    for start, finish in root |> Option.map (scalars source) |> Option.defaultValue Seq.empty do
        scanTo start

        if finish > at then
            at <- finish
            ownLine <- false
            breaks <- 0

    scanTo text.Length
    List.ofSeq found
