/// Reading YAML: what all of it shares, and which comments belong to which item.
module internal CnnSpec.Syntax.YamlComments

open CnnSpec.Text
open CnnSpec.Syntax.YamlTree

/// What reading a file shares: its comments not yet given to an item, in order, and what was wrong.
type Reading(source: Source, comments: Comment list) =
    let diagnostics = ResizeArray<Diagnostic>()
    let mutable pending = comments

    member _.Source = source
    member _.Diagnostics = List.ofSeq diagnostics
    member _.Report diagnostic = diagnostics.Add diagnostic

    /// Comments behind the first line of the item that is being read: they are its own, not its body's.
    member val Behind: Comment list = [] with get, set
    /// Where the next item begins; no comment behind that place belongs to this one.
    member val Limit = source.Text.Length with get, set

    member _.Span(node: Node) = Span.create source node.Start node.End

    member this.Complain (node: Node) message help =
        let span = this.Span node
        // What goes over many lines is shown by its first.
        let finish = source.Text.IndexOfAny([| '\n'; '\r' |], node.Start)

        let span =
            if finish >= 0 && finish < span.End then
                { span with End = finish }
            else
                span

        this.Report(Diagnostic.error "E0105" span message |> Diagnostic.withHelp help)

    member _.TakeWhile(belongs: Comment -> bool) =
        let taken = pending |> List.takeWhile belongs
        pending <- List.skip taken.Length pending
        taken

    member this.TakeBefore offset =
        this.TakeWhile(fun comment -> comment.Offset < offset)

    /// The comment on the line on which an item ends.
    member this.TakeBehind finish =
        let isOnLine offset =
            source.Text.Substring(finish, offset - finish)
            |> Seq.forall (fun c -> c = ' ' || c = '\t' || c = ',')

        match pending with
        | comment :: _ when comment.Text.IsSome && comment.Offset >= finish && isOnLine comment.Offset ->
            this.TakeBefore(comment.Offset + 1)
        | _ -> []

    /// Called where a body begins: what stands behind the lines above it belongs to the item that has the body.
    member this.Enter start =
        let own, behind =
            this.TakeBefore start |> List.partition (fun comment -> comment.OwnLine)

        this.Behind <- this.Behind @ behind
        pending <- own @ pending

    /// Comments after the last item of a list whose items begin in this column.
    member this.TakeTrailing column =
        let isInside (comment: Comment) =
            comment.Offset < this.Limit
            && (comment.Text.IsNone || (Source.position source comment.Offset).Column >= column)

        let candidates = pending |> List.takeWhile isInside

        match candidates |> List.tryFindIndexBack _.Text.IsSome with
        | Some last ->
            pending <- List.skip (last + 1) pending
            List.truncate (last + 1) candidates
        | None -> []

/// Reads an item together with the comments around it.
let withTrivia (reading: Reading) isFirst isJoined (node: Node) (read: unit -> 'a) : 'a * Trivia =
    let above = reading.TakeBefore node.Start
    let outer = reading.Behind
    reading.Behind <- []
    let result = read ()

    let own, inline' =
        reading.TakeBefore node.End |> List.filter _.Text.IsSome |> List.partition _.OwnLine

    let behind = reading.Behind @ inline' @ reading.TakeBehind node.End
    reading.Behind <- outer
    let last = List.tryLast behind

    let inside =
        own @ List.truncate (behind.Length - 1) behind |> List.sortBy _.Offset |> List.choose _.Text

    result,
    {
        Above = Comment.remarks isFirst above @ List.map CommentLine inside
        Behind = last |> Option.bind _.Text
        Joined = isJoined
    }

/// Items that share a line between brackets: the comment behind the brackets is the last one's.
let withLineEnd (reading: Reading) (line: Node) (get: 'a -> Trivia) (set: Trivia -> 'a -> 'a) (items: 'a list) =
    match List.rev items with
    | last :: others when (get last).Behind.IsNone ->
        let behind = reading.TakeBehind line.End |> List.tryHead |> Option.bind _.Text
        List.rev (set { get last with Behind = behind } last :: others)
    | _ -> items

/// Reads the items of a list (or the pairs of a map), each with the place where the next one begins as its limit.
let eachWithin (reading: Reading) (items: 'a list) (start: 'a -> int) (read: int -> 'a -> 'b) : 'b list =
    let outer = reading.Limit
    let starts = items |> List.tail |> List.map start

    let results =
        List.zip items (starts @ [ outer ])
        |> List.mapi (fun index (item, limit) ->
            reading.Limit <- limit
            read index item)

    reading.Limit <- outer
    results

/// Comments after the last item, as they stand in a list written `[…]` or one item a line.
let trailing (reading: Reading) isFlow (node: Node) isFirst =
    let comments =
        if isFlow then
            reading.TakeBefore(node.End - 1)
        else
            reading.TakeTrailing (Source.position reading.Source node.Start).Column

    Comment.trailing (Comment.remarks isFirst comments)

/// Where the comments of a body's own begin; those before it stand behind the item that has the body.
let bodyStart isFlow (items: Node list) (node: Node) =
    match items with
    | first :: _ when isFlow -> first.Start
    | [] when isFlow -> node.End - 1
    | _ -> node.Start
