/// A network as a paper draws it: blocks folded into one box each, repeated ones into one box with a count, and beside
/// the network each kind of block once, opened.
module CnnSpec.Ir.Figure

open System.Collections.Generic
open CnnSpec.Operators
open CnnSpec.Ir.Folding

type Line =
    {
        Text: string
        /// Not a normalisation, an activation or the like.
        IsMajor: bool
    }

type Box =
    {
        Lines: Line list
        /// The operation that decides its colour; nothing for a folded block.
        Op: Op option
        /// How many equal ones in a row it stands for.
        Repeats: int
        /// What it gives; nothing where that differs from call to call.
        Output: Shape option
        TrainingOnly: bool
        /// Positions of boxes in the same drawing.
        Inputs: int list
        /// The opened blocks around it, outermost first, each with its path.
        Within: (string * string) list
    }

/// The first box is the input.
type Drawing = { Title: string; Boxes: Box list }

type Figure = { Network: Drawing; Blocks: Drawing list }

/// Layers to draw, which `level` calls stand around.
type private Region =
    {
        Members: int list
        Level: int
        /// What names a folded call.
        Titles: IrBlock -> string
        /// The calls that the drawing stands for, each with its layers in order, the first being the one drawn.
        Calls: int[] list
    }

/// What a box says: the layers and calls in it, a line each; what is minor shares lines.
let private lines (folding: Folding) (region: Region) : Unit list -> Line list =
    let position = region.Members |> List.mapi (fun position i -> i, position) |> dict

    let alike i =
        region.Calls |> List.map (fun call -> folding.Nodes[call[position[i]]])

    let line (one: Unit) =
        match one.Call with
        | Some call -> { Text = region.Titles call; IsMajor = true }
        | None ->
            let i = List.head one.Nodes

            {
                Text = LayerLabel.text (alike i)
                IsMajor = not (LayerLabel.isMinor folding.Nodes[i].Op)
            }

    fun box ->
        let told =
            box |> List.filter (fun one -> one.Call.IsSome || folding.Nodes[one.Nodes.Head].Op <> Identity)

        ([], List.map line told)
        ||> List.fold (fun lines line ->
            match lines with
            | before :: rest when not before.IsMajor && not line.IsMajor ->
                { before with Text = $"{before.Text}, {line.Text}" } :: rest
            | _ -> line :: lines)
        |> List.rev

/// The operation that a box is known by; nothing for a folded call.
let private operation (folding: Folding) (box: Unit list) =
    match box with
    | { Call = Some _ } :: _ -> None
    | _ ->
        box
        |> List.map (fun one -> folding.Nodes[one.Nodes.Head].Op)
        |> List.sortBy LayerLabel.isMinor
        |> List.tryHead

/// What does nothing is no box: others take what it takes.
let private isIdentity (folding: Folding) (box: Unit list) =
    match box with
    | [ { Nodes = [ i ] } ] -> folding.Nodes[i].Op = Identity
    | _ -> false

let private input output =
    {
        Lines = [ { Text = "input"; IsMajor = true } ]
        Op = Some Op.Input
        Repeats = 1
        Output = output
        TrainingOnly = false
        Inputs = []
        Within = []
    }

let private drawing (folding: Folding) (program: Program) title (region: Region) : Drawing =
    let nodes = folding.Nodes
    let lines = lines folding region

    // A block's calls work on maps of many sizes.
    let output shape =
        if region.Level > 0 then None else Some shape

    let boxes = ResizeArray [ input (output program.Input) ]
    /// The box that gives each node.
    let owner = Dictionary<int, int>()
    let mutable before: (Unit list * int) option = None

    let idle, working =
        folding.Boxes(folding.Units(region.Members, region.Level)) |> List.partition (isIdentity folding)

    let idle = idle |> List.map (fun box -> box.Head.Nodes.Head) |> HashSet

    let rec source i =
        if idle.Contains i then source nodes[i].Inputs.Head else i

    for box in working do
        let inputs = folding.Inputs box

        let from =
            inputs
            |> List.map (fun input ->
                match owner.TryGetValue(source input) with
                | true, box -> box
                | _ -> 0)
            |> List.distinct

        let first = List.head box
        let shape = output nodes[folding.Output box].Shape

        match before with
        | Some(earlier, at) when
            from = [ at ]
            && inputs.Length = 1
            && folding.Serves(inputs.Head, box)
            && (List.head earlier).Within = first.Within
            && folding.Signature earlier = folding.Signature box
            ->
            boxes[at] <- { boxes[at] with Repeats = boxes[at].Repeats + 1; Output = shape }
            before <- Some(box, at)
        | _ ->
            boxes.Add
                {
                    Lines = lines box
                    Op = operation folding box
                    Repeats = 1
                    Output = shape
                    TrainingOnly = nodes[first.Nodes.Head].TrainingOnly
                    Inputs = from
                    Within = first.Within |> List.map (fun block -> block.Path, block.Name)
                }

            before <- Some(box, boxes.Count - 1)

        for i in box |> List.collect _.Nodes do
            owner[i] <- boxes.Count - 1

    { Title = title; Boxes = List.ofSeq boxes }

/// Every kind of folded block, outer ones first, with all its calls.
let private kinds (folding: Folding) (all: int list) : (Kind * FoldedCall list) list =
    let calls = Dictionary<Kind, ResizeArray<FoldedCall>>()
    let order = ResizeArray<Kind>()

    let rec collect members level =
        for folded in folding.Calls(members, level) do
            if not (calls.ContainsKey folded.Kind) then
                calls[folded.Kind] <- ResizeArray()
                order.Add folded.Kind

            calls[folded.Kind].Add folded
            collect folded.Members folded.Depth

    collect all 0
    [ for kind in order -> kind, List.ofSeq calls[kind] ]

/// `opened` levels of blocks are drawn with all their layers.
let draw (opened: int) (program: Program) : Figure =
    let folding = Folding(program, opened)
    let all = List.init folding.Nodes.Length id
    let kinds = kinds folding all

    let title (kind: Kind) =
        match kinds |> List.map fst |> List.filter (fun other -> other.Block = kind.Block) with
        | [ _ ] -> kind.Block
        | several -> $"{kind.Block} {char (int 'a' + List.findIndex ((=) kind) several % 26)}"

    let region members level calls =
        let titles =
            Map.ofList [ for folded in folding.Calls(members, level) -> folded.Call.Path, title folded.Kind ]

        {
            Members = members
            Level = level
            Titles = fun call -> titles[call.Path]
            Calls = List.map List.toArray calls
        }

    {
        Network = drawing folding program program.Network (region all 0 [ all ])
        Blocks =
            [
                for kind, calls in kinds do
                    let first = List.head calls

                    drawing
                        folding
                        program
                        (title kind)
                        (region first.Members first.Depth (calls |> List.map _.Members))
            ]
    }
