/// Text that can be laid out in more than one way, after Wadler, "A prettier printer" (2003): a group stays on one line
/// where it fits, and otherwise breaks at all the lines that belong to it and not to a group inside.
module internal CnnSpec.Syntax.Layout

open System.Collections.Generic
open System.Text

type Doc =
    private
        {
            Kind: DocKind
            /// Its width on one line; -1 for what cannot be on one line.
            Width: int
        }

and DocKind =
    | Text of string
    | Concatenation of Doc list
    /// `flat` on one line; where its group is broken, `broken` and a line break.
    | Line of flat: string * broken: string
    /// Always a line break; the empty line before it is kept.
    | LineBreak of emptyLines: int
    | Indented of Doc
    | Grouped of Doc
    /// Items with what separates them, as many on each line as fit.
    | Filled of Doc list
    /// The rest of these, a separator first; `joins` where the item before stands on one line.
    | Following of joins: bool * Doc list
    /// A comment to the end of the line. It never makes a line too long.
    | Remainder of string

[<RequireQualifiedAccess>]
module Doc =

    /// No line of a spec is longer where it can be helped.
    let widest = 120

    let private make kind width = { Kind = kind; Width = width }

    let private widthOf (docs: Doc list) =
        // Widths beyond any line are all alike; the cap keeps the sum from overflowing.
        (0, docs)
        ||> List.fold (fun total doc ->
            if total < 0 || doc.Width < 0 then
                -1
            else
                min 1_000_000 (total + doc.Width))

    let text (text: string) = make (Text text) text.Length
    let empty = text ""

    let line flat broken =
        make (Line(flat, broken)) (String.length flat)

    let lineBreak = make (LineBreak 0) -1
    let emptyLine = make (LineBreak 1) -1
    let comment text = make (Remainder text) -1

    let concat docs =
        make (Concatenation docs) (widthOf docs)

    let indent doc = make (Indented doc) doc.Width
    let group doc = make (Grouped doc) doc.Width

    /// Items and separators in turn, as `join` gives them.
    let fill docs =
        let docs =
            docs |> List.mapi (fun index doc -> if index % 2 = 0 then group doc else doc)

        make (Filled docs) (widthOf docs)

    /// Puts a document between each two.
    let join separator (docs: Doc list) =
        docs
        |> List.mapi (fun index doc -> if index = 0 then [ doc ] else [ separator; doc ])
        |> List.concat

    type private Mode =
        | Flat
        | Broken

    /// How much stands on this line behind a group before the next place where the line may end.
    let private tail (stack: Stack<struct (int * Mode * Doc)>) =
        let mutable width = 0
        let mutable ended = false
        let pending = Stack<struct (Mode * Doc)>()
        let mutable rest = stack.GetEnumerator()

        while not ended && (pending.Count > 0 || rest.MoveNext()) do
            let struct (mode, doc) =
                if pending.Count > 0 then
                    pending.Pop()
                else
                    let struct (_, mode, doc) = rest.Current
                    struct (mode, doc)

            match doc.Kind, mode with
            | Text text, _ -> width <- width + text.Length
            | Line(flat, _), Flat -> width <- width + flat.Length
            | Line(_, broken), Broken ->
                width <- width + broken.Length
                ended <- true
            | (LineBreak _ | Remainder _), _ -> ended <- true
            | (Concatenation docs | Filled docs | Following(_, docs)), _ ->
                for doc in List.rev docs do
                    pending.Push(struct (mode, doc))
            | (Indented inner | Grouped inner), _ -> pending.Push(struct (mode, inner))

            if width > widest then
                ended <- true

        width

    /// Columns of an indentation.
    let private step = 2

    let render (doc: Doc) =
        let output = StringBuilder()
        let stack = Stack<struct (int * Mode * Doc)>()
        let mutable column = 0

        let write (text: string) =
            output.Append text |> ignore
            column <- column + text.Length

        let newLine indent =
            while output.Length > 0 && output[output.Length - 1] = ' ' do
                output.Length <- output.Length - 1

            output.Append('\n').Append(' ', indent) |> ignore
            column <- indent

        let fits (doc: Doc) =
            doc.Width >= 0 && column + doc.Width <= widest && column + doc.Width + tail stack <= widest

        /// Whether an item of a fill fits from this column on, with the separator behind it.
        let fitsFrom column (item: Doc) rest =
            let behind =
                match rest with
                | { Kind = Line(_, broken) } :: _ -> broken.Length
                | _ :: _ -> 0
                | [] -> tail stack

            item.Width >= 0 && column + item.Width + behind <= widest

        stack.Push(struct (0, Broken, doc))

        while stack.Count > 0 do
            let struct (indent, mode, doc) = stack.Pop()

            match doc.Kind, mode with
            | Text text, _ -> write text
            | Line(flat, _), Flat -> write flat
            | Line(_, broken), Broken ->
                write broken
                newLine indent
            | LineBreak emptyLines, _ ->
                for _ in 1..emptyLines do
                    newLine 0

                newLine indent
            | Remainder text, _ -> write text
            | Concatenation docs, _ ->
                for doc in List.rev docs do
                    stack.Push(struct (indent, mode, doc))
            | Indented inner, _ -> stack.Push(struct (indent + step, mode, inner))
            | Grouped inner, Flat -> stack.Push(struct (indent, Flat, inner))
            | Grouped inner, Broken -> stack.Push(struct (indent, (if fits inner then Flat else Broken), inner))
            | (Filled docs | Following(_, docs)), Flat ->
                for doc in List.rev docs do
                    stack.Push(struct (indent, Flat, doc))
            | Filled(item :: rest), Broken ->
                let joins = fitsFrom column item rest
                stack.Push(struct (indent, Broken, make (Following(joins, rest)) -1))
                stack.Push(struct (indent, Broken, item))
            | Following(joins, separator :: item :: rest), Broken ->
                let joins =
                    joins && separator.Width >= 0 && fitsFrom (column + separator.Width) item rest

                let next = joins || fitsFrom indent item rest
                stack.Push(struct (indent, Broken, make (Following(next, rest)) -1))
                stack.Push(struct (indent, (if joins then Flat else Broken), item))
                stack.Push(struct (indent, (if joins then Flat else Broken), separator))
            | (Filled _ | Following _), Broken -> ()

        output.ToString()

    /// On one line, however long; for what has no forced line break in it.
    let flat (doc: Doc) =
        let output = StringBuilder()
        let stack = Stack [ doc ]

        while stack.Count > 0 do
            match stack.Pop().Kind with
            | Text text
            | Line(text, _)
            | Remainder text -> output.Append text |> ignore
            | LineBreak _ -> output.Append ' ' |> ignore
            | Concatenation docs
            | Filled docs
            | Following(_, docs) ->
                for doc in List.rev docs do
                    stack.Push doc
            | Indented inner
            | Grouped inner -> stack.Push inner

        output.ToString()
