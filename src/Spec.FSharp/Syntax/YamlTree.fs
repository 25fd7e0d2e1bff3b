/// YAML text as a tree of lists, maps and scalars, each with its place. Only YAML's grammar is used: anchors, aliases,
/// tags and further documents are refused, so nothing is expanded, and nothing but the text decides what is built.
module internal CnnSpec.Syntax.YamlTree

open System.Collections.Generic
open System.IO
open CnnSpec.Text
open YamlDotNet.Core
open YamlDotNet.Core.Events

type MappingForm =
    /// One entry a line.
    | Lines
    /// `{a: 1, b: 2}`
    | Braces
    /// `a: 1` as an item of `[…]`.
    | Pair

type Node = { Kind: NodeKind; Start: int; End: int }

and NodeKind =
    | Scalar of ScalarStyle * value: string
    /// `isFlow` where it is written `[…]`.
    | Sequence of isFlow: bool * Node list
    | Mapping of MappingForm * (Node * Node) list
    /// Something that has been reported.
    | Refused

/// A statement of the deepest allowed nesting is this many times as deep in YAML: a list in a map in a list, and arguments.
let private levelsPerStatement = 4

let deepest = Lexing.deepest * levelsPerStatement

exception private Stop of Diagnostic

/// YamlDotNet's sentence in ours: without its full stop, and starting small.
let private reason (failure: YamlException) =
    let message = failure.Message.TrimEnd('.', ' ')

    if message = "" then
        "it breaks off"
    else
        string (System.Char.ToLowerInvariant message[0]) + message.Substring 1

type private Builder(source: Source, shift: int, report: Diagnostic -> unit) =
    let text = source.Text
    let parser = Parser(Scanner(new StringReader(text.Substring shift), true))

    let clamp offset = max 0 (min text.Length offset)

    let place (mark: Mark) = clamp (int mark.Index + shift)

    let mutable current: ParsingEvent = null

    let advance () =
        current <- if parser.MoveNext() then parser.Current else null

    let refuse start finish message help =
        report (Diagnostic.error "E0105" (Span.create source start finish) message |> Diagnostic.withHelp help)

    /// Anchors and tags of a node.
    let checkProperties (event: NodeEvent) =
        let start = place event.Start

        if not event.Anchor.IsEmpty then
            refuse
                start
                (clamp (start + 1 + event.Anchor.Value.Length))
                "a spec has no anchors"
                "name a value with let, and layers with a block"

        if not event.Tag.IsEmpty && (event :? Scalar |> not || not event.Tag.IsNonSpecific) then
            refuse start (clamp (start + 1)) "a spec has no tags" "leave out the word that begins with '!'"

    /// The entries that a map may have: a key that comes again is reported and left out.
    let checkKeys (entries: (Node * Node) list) =
        let seen = Dictionary<string, Node>()

        entries
        |> List.filter (fun (key, _) ->
            match key.Kind with
            | Scalar(_, name) ->
                match seen.TryGetValue name with
                | true, first ->
                    report (
                        Diagnostic.error
                            "E0202"
                            (Span.create source key.Start key.End)
                            $"the key '{name}' is given twice"
                        |> Diagnostic.withRelated
                            [ { Span = Span.create source first.Start first.End; Text = "first given here" } ]
                    )

                    false
                | _ ->
                    seen[name] <- key
                    true
            | Refused -> false
            | _ ->
                refuse key.Start key.End "a key is a word" "write name: value"
                false)

    /// Reads the node that begins with the current event, and moves behind it.
    let rec node depth : Node =
        if depth > deepest then
            let start = place current.Start

            raise (
                Stop(
                    Diagnostic.error
                        "E0103"
                        (Span.create source start (clamp (start + 1)))
                        $"this nests more than {deepest} levels deep"
                )
            )

        match current with
        | :? AnchorAlias as alias ->
            let start, finish = place alias.Start, place alias.End
            refuse start finish "a spec has no aliases" "name a value with let, and layers with a block"
            advance ()
            { Kind = Refused; Start = start; End = finish }
        | :? Events.Scalar as scalar ->
            checkProperties scalar
            let start, finish = place scalar.Start, place scalar.End
            let properties = not scalar.Anchor.IsEmpty || not scalar.Tag.IsEmpty
            advance ()

            {
                Kind =
                    if properties then
                        Refused
                    else
                        Scalar(scalar.Style, scalar.Value)
                Start = start
                End =
                    if finish = start then
                        start
                    else
                        start + text.Substring(start, finish - start).TrimEnd().Length
            }
        | :? SequenceStart as opening ->
            checkProperties opening
            let start = place opening.Start
            let isFlow = opening.Style = SequenceStyle.Flow
            let items = ResizeArray<Node>()
            advance ()

            while not (current :? SequenceEnd) do
                items.Add(node (depth + 1))

            let finish =
                if isFlow then clamp (place current.Start + 1)
                elif items.Count = 0 then start
                else items[items.Count - 1].End

            advance ()
            { Kind = Sequence(isFlow, List.ofSeq items); Start = start; End = max start finish }
        | :? MappingStart as opening ->
            checkProperties opening
            mapping depth opening
        | other ->
            let start = place other.Start

            raise (
                Stop(Diagnostic.error "E0105" (Span.create source start start) "this is not YAML that a spec can use")
            )

    and mapping depth (opening: MappingStart) =
        let entries = ResizeArray<Node * Node>()
        advance ()

        while not (current :? MappingEnd) do
            let key = node (depth + 1)
            entries.Add((key, node (depth + 1)))

        let valid = checkKeys (List.ofSeq entries)
        let closing = place current.Start
        advance ()
        let start = place opening.Start

        // A pair inside brackets has no place of its own.
        let first =
            match Seq.tryHead entries with
            | Some(key, _) -> key.Start
            | None -> start

        let form =
            if opening.Style <> MappingStyle.Flow then
                Lines
            elif entries.Count = 0 || (start < first && text[start] = '{') then
                Braces
            else
                Pair

        let last =
            match Seq.tryLast entries with
            | Some(key, value) -> max key.End value.End
            | None -> start

        {
            Kind = Mapping(form, valid)
            Start = if form = Braces then start else first
            End = if form = Braces then clamp (closing + 1) else last
        }

    /// Where reading has got to.
    member _.Reached = if isNull current then shift else place current.End

    member _.Document() : Node option =
        let skip (wanted: ParsingEvent -> bool) =
            while not (isNull current) && not (wanted current) do
                advance ()

        advance ()
        skip (fun event -> event :? NodeEvent || event :? StreamEnd)

        if isNull current || current :? StreamEnd then
            None
        else
            let root = node 0
            skip (fun event -> event :? DocumentStart || event :? StreamEnd)

            match current with
            | :? DocumentStart as second ->
                let start = place second.Start
                refuse start (clamp (start + 3)) "a file holds one document" "put the second one into a file of its own"
            | _ -> ()

            Some root

/// The tree of a file, nothing where it is empty, and what was wrong with it.
let parse (source: Source) : Node option * Diagnostic list =
    let diagnostics = ResizeArray<Diagnostic>()
    let shift = if source.Text.StartsWith '\ufeff' then 1 else 0

    let failed start message =
        let start = min start source.Text.Length
        diagnostics.Add(Diagnostic.error "E0101" (Span.create source start start) $"this is not YAML: {message}")
        None

    let builder = Builder(source, shift, diagnostics.Add)

    let root =
        try
            builder.Document()
        with
        | Stop diagnostic ->
            diagnostics.Add diagnostic
            None
        | :? YamlException as failure -> failed (int failure.Start.Index + shift) (reason failure)
        // On some broken text YamlDotNet's scanner loses its place instead of complaining.
        | :? System.InvalidOperationException
        | :? System.ArgumentException -> failed builder.Reached "it breaks off here; a bracket or quote may be open"

    match root with
    | Some { Kind = Scalar(ScalarStyle.Plain, "") } -> None, List.ofSeq diagnostics
    | root -> root, List.ofSeq diagnostics
