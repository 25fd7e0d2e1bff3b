/// A network as a paper draws it: blocks folded into one box each, repeated ones into one box with a count, and beside
/// the network each kind of block once, opened.
module CnnSpec.Ir.Figure

open System.Collections.Generic
open CnnSpec.Operators

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

/// One layer, or a folded call of a block with all layers of it.
type private Unit = { Nodes: int list; Call: IrBlock option; Within: IrBlock list }

/// Calls of a block that differ in sizes only: its name and the operations, with where each takes its inputs from.
type private Kind = { Block: string; Layers: (string * int option list * string list) list }

type private Drawer(program: Program, opened: int) =
    let nodes = List.toArray program.Nodes

    /// The calls around each node, outermost first.
    let around =
        let blocks = program.Blocks |> List.map (fun block -> block.Path, block) |> dict

        nodes
        |> Array.map (fun node ->
            let parts = node.Path.Split '.'

            [
                for length in 1 .. parts.Length - 1 do
                    match blocks.TryGetValue(System.String.Join(".", parts[.. length - 1])) with
                    | true, block -> block
                    | _ -> ()
            ])

    /// How often each node is taken, and by which node last.
    let uses, lastUse =
        let uses, lastUse = Array.zeroCreate nodes.Length, Array.create nodes.Length None

        nodes
        |> Array.iteri (fun i node ->
            for input in node.Inputs do
                uses[input] <- uses[input] + 1
                lastUse[input] <- Some i)

        uses, lastUse

    /// A chain with one layer of note needs no folding: `Conv` of a convolution, batch norm and ReLU.
    let isPlain (members: int list) level =
        (members |> List.forall (fun i -> around[i].Length = level && nodes[i].Inputs.Length = 1))
        && (List.pairwise members |> List.forall (fun (a, b) -> nodes[b].Inputs = [ a ]))
        && (members |> List.filter (fun i -> not (LayerLabel.isMinor nodes[i].Op))).Length <= 1

    /// The layers as units: calls inside `level` others stay whole unless they are to be opened.
    let rec units (members: int list) level (within: IrBlock list) : Unit list =
        let calls =
            ([], members)
            ||> List.fold (fun runs i ->
                let call = List.tryItem level around[i]

                match runs with
                | (before, inside) :: rest when call.IsSome && before = call -> (before, i :: inside) :: rest
                | _ -> (call, [ i ]) :: runs)
            |> List.rev

        calls
        |> List.collect (fun (call, inside) ->
            let inside = List.rev inside

            match call with
            | None -> [ { Nodes = inside; Call = None; Within = within } ]
            | Some _ when isPlain inside (level + 1) ->
                inside |> List.map (fun i -> { Nodes = [ i ]; Call = None; Within = within })
            | Some block when level < opened -> units inside (level + 1) (within @ [ block ])
            | Some _ ->
                match units inside (level + 1) within with
                // A block that is nothing but another one is drawn as that.
                | [ { Call = Some _ } as only ] -> [ only ]
                | _ -> [ { Nodes = inside; Call = call; Within = within } ])

    let structure (describe: int -> 'a) (members: int list) level =
        let first = List.head members

        members
        |> List.map (fun i ->
            describe i,
            nodes[i].Inputs |> List.map (fun input -> if input < first then None else Some(input - first)),
            around[i] |> List.skip (min level around[i].Length) |> List.map _.Name)

    let kind (call: IrBlock) (members: int list) level =
        { Block = call.Name; Layers = structure (fun i -> nodes[i].Operator) members level }

    /// Equal boxes in a row are told by this. That deeper layers are left out more often makes them no others.
    let signature (boxed: Unit list) =
        let op i =
            match nodes[i].Op with
            | DropPath _ -> DropPath 0.0
            | op -> op

        boxed
        |> List.map (fun one -> one.Call |> Option.map _.Name, structure op one.Nodes 0)
        |> List.map (fun (call, layers) -> call, layers |> List.map (fun (op, inputs, _) -> op, inputs))

    /// Which units share a box: what is minor goes with the layer before it, or, where a network normalises first, with
    /// the layer behind it.
    let boxed (region: Unit list) : Unit list list =
        let layer (one: Unit) =
            match one with
            | { Call = None; Nodes = [ i ] } -> Some i
            | _ -> None

        let normalisesFirst =
            region
            |> List.choose layer
            |> List.exists (fun i ->
                LayerLabel.isNormalisation nodes[i].Op
                && nodes[i].Inputs
                   |> List.exists (fun input ->
                       match nodes[input].Op with
                       | Conv _
                       | ConvTranspose _
                       | Linear _ -> false
                       | _ -> true))

        let follows (box: Unit list) (one: Unit) =
            match layer (List.head box), layer one with
            | Some last, Some next ->
                let hasMajor =
                    box |> List.choose layer |> List.exists (fun i -> not (LayerLabel.isMinor nodes[i].Op))

                nodes[next].Inputs = [ last ]
                && uses[last] = 1
                && nodes[last].Op <> Op.Input
                && nodes[last].TrainingOnly = nodes[next].TrainingOnly
                && (List.head box).Within = one.Within
                && (if LayerLabel.isMinor nodes[next].Op then
                        not (hasMajor && normalisesFirst)
                    else
                        not hasMajor)
            | _ -> false

        ([], region)
        ||> List.fold (fun boxes one ->
            match boxes with
            | box :: rest when follows box one -> (one :: box) :: rest
            | _ -> [ one ] :: boxes)
        |> List.rev
        |> List.map List.rev

    let externalInputs (box: Unit list) =
        let inside = box |> List.collect _.Nodes |> HashSet

        box
        |> List.collect _.Nodes
        |> List.collect (fun i -> nodes[i].Inputs)
        |> List.filter (fun input -> not (inside.Contains input))
        |> List.distinct

    /// The node of a box that others take, or its last one.
    let output (box: Unit list) =
        let inside = box |> List.collect _.Nodes
        let last = List.last inside

        inside
        |> List.tryFindBack (fun i -> lastUse[i] |> Option.exists (fun user -> user > last))
        |> Option.defaultValue last

    /// Whether nothing but the box takes the node.
    let serves (input: int) (box: Unit list) =
        box
        |> List.collect _.Nodes
        |> List.sumBy (fun i -> nodes[i].Inputs |> List.filter ((=) input) |> List.length)
        |> (=) uses[input]

    /// `titles` names a folded call; `calls` are the calls that the drawing stands for, each with its layers in order, the
    /// first being the one drawn.
    member _.Draw(title, members: int list, level, titles: IrBlock -> string, calls: int[] list) =
        let isBlock = level > 0
        let position = members |> List.mapi (fun position i -> i, position) |> dict

        let alike i =
            calls |> List.map (fun call -> nodes[call[position[i]]])

        let lines (box: Unit list) =
            let line (one: Unit) =
                match one.Call with
                | Some call -> { Text = titles call; IsMajor = true }
                | None ->
                    let i = List.head one.Nodes
                    { Text = LayerLabel.text (alike i); IsMajor = not (LayerLabel.isMinor nodes[i].Op) }

            let told =
                box |> List.filter (fun one -> one.Call.IsSome || nodes[one.Nodes.Head].Op <> Identity)

            ([], List.map line told)
            ||> List.fold (fun lines line ->
                match lines with
                | before :: rest when not before.IsMajor && not line.IsMajor ->
                    { before with Text = $"{before.Text}, {line.Text}" } :: rest
                | _ -> line :: lines)
            |> List.rev

        let input =
            {
                Lines = [ { Text = "input"; IsMajor = true } ]
                Op = Some Op.Input
                Repeats = 1
                Output = if isBlock then None else Some program.Input
                TrainingOnly = false
                Inputs = []
                Within = []
            }

        let boxes = ResizeArray [ input ]
        /// The box that gives each node.
        let owner = Dictionary<int, int>()
        let mutable before: (Unit list * int) option = None

        let region =
            units (members |> List.filter (fun i -> nodes[i].Op <> Op.Input)) level []

        /// What does nothing is no box: others take what it takes.
        let isIdentity (box: Unit list) =
            match box with
            | [ { Nodes = [ i ] } ] -> nodes[i].Op = Identity
            | _ -> false

        let idle, working = boxed region |> List.partition isIdentity
        let idle = idle |> List.map (fun box -> box.Head.Nodes.Head) |> HashSet

        let rec source i =
            if idle.Contains i then source nodes[i].Inputs.Head else i

        for box in working do
            let inputs = externalInputs box

            let from =
                inputs
                |> List.map (fun input ->
                    match owner.TryGetValue(source input) with
                    | true, box -> box
                    | _ -> 0)
                |> List.distinct

            let first = nodes[(List.head box).Nodes.Head]
            let shape = if isBlock then None else Some nodes[output box].Shape

            match before with
            | Some(earlier, at) when
                from = [ at ]
                && inputs.Length = 1
                && serves inputs.Head box
                && (List.head earlier).Within = (List.head box).Within
                && signature earlier = signature box
                ->
                boxes[at] <- { boxes[at] with Repeats = boxes[at].Repeats + 1; Output = shape }
                before <- Some(box, at)
            | _ ->
                boxes.Add
                    {
                        Lines = lines box
                        Op =
                            match box with
                            | { Call = Some _ } :: _ -> None
                            | _ ->
                                box
                                |> List.map (fun one -> nodes[one.Nodes.Head].Op)
                                |> List.sortBy LayerLabel.isMinor
                                |> List.tryHead
                        Repeats = 1
                        Output = shape
                        TrainingOnly = first.TrainingOnly
                        Inputs = from
                        Within = (List.head box).Within |> List.map (fun block -> block.Path, block.Name)
                    }

                before <- Some(box, boxes.Count - 1)

            for i in box |> List.collect _.Nodes do
                owner[i] <- boxes.Count - 1

        { Title = title; Boxes = List.ofSeq boxes }

    member _.All = List.init nodes.Length id

    /// The calls that a drawing of these layers folds, each with its kind and layers.
    member _.Folded(members: int list, level) : (Kind * IrBlock * int list * int) list =
        units (members |> List.filter (fun i -> nodes[i].Op <> Op.Input)) level []
        |> List.choose (fun one ->
            one.Call
            |> Option.map (fun call ->
                let depth = 1 + List.findIndex ((=) call) around[one.Nodes.Head]
                kind call one.Nodes depth, call, one.Nodes, depth))

/// `opened` levels of blocks are drawn with all their layers.
let draw (opened: int) (program: Program) : Figure =
    let drawer = Drawer(program, opened)
    let kinds = Dictionary<Kind, ResizeArray<int list * int>>()
    let order = ResizeArray<Kind>()

    /// Every kind of folded block, outer ones first, with all its calls.
    let rec collect members level =
        for kind, _, inside, depth in drawer.Folded(members, level) do
            if not (kinds.ContainsKey kind) then
                kinds[kind] <- ResizeArray()
                order.Add kind

            kinds[kind].Add((inside, depth))
            collect inside depth

    collect drawer.All 0

    let title (kind: Kind) =
        match order |> Seq.filter (fun other -> other.Block = kind.Block) |> List.ofSeq with
        | [ _ ] -> kind.Block
        | several -> $"{kind.Block} {char (int 'a' + List.findIndex ((=) kind) several % 26)}"

    let titles =
        let byPath = Dictionary<string, string>()

        fun (level: int) (members: int list) ->
            for kind, call, _, _ in drawer.Folded(members, level) do
                byPath[call.Path] <- title kind

            fun (call: IrBlock) -> byPath[call.Path]

    {
        Network = drawer.Draw(program.Network, drawer.All, 0, titles 0 drawer.All, [ List.toArray drawer.All ])
        Blocks =
            [
                for kind in order do
                    let calls = kinds[kind]
                    let members, level = calls[0]

                    drawer.Draw(
                        title kind,
                        members,
                        level,
                        titles level members,
                        calls |> Seq.map (fun (members, _) -> List.toArray members) |> List.ofSeq
                    )
            ]
    }
