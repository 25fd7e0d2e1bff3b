/// Which layers of a network are drawn as one: calls of blocks as a unit each, and a layer with what is minor beside it
/// as a box.
module internal CnnSpec.Ir.Folding

open System.Collections.Generic
open CnnSpec.Operators

/// One layer, or a folded call of a block with all layers of it.
type Unit = { Nodes: int list; Call: IrBlock option; Within: IrBlock list }

/// Calls of a block that differ in sizes only: its name and the operations, with where each takes its inputs from.
type Kind = { Block: string; Layers: (string * int option list * string list) list }

type FoldedCall =
    {
        Kind: Kind
        Call: IrBlock
        /// Its layers.
        Members: int list
        /// How many calls its layers stand in, itself among them.
        Depth: int
    }

/// `opened` levels of blocks are shown with all their layers.
type Folding(program: Program, opened: int) =
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

    let layers (members: int list) =
        members |> List.filter (fun i -> nodes[i].Op <> Op.Input)

    member _.Nodes = nodes

    /// What a drawing of these layers shows, in order; `level` calls stand around all of them.
    member _.Units(members: int list, level) : Unit list = units (layers members) level []

    /// The calls that a drawing of these layers folds.
    member this.Calls(members: int list, level) : FoldedCall list =
        this.Units(members, level)
        |> List.choose (fun one ->
            one.Call
            |> Option.map (fun call ->
                let depth = 1 + List.findIndex ((=) call) around[one.Nodes.Head]

                { Kind = kind call one.Nodes depth; Call = call; Members = one.Nodes; Depth = depth }))

    /// Equal boxes in a row are told by this. Drop-path rates are ignored when comparing.
    member _.Signature(box: Unit list) =
        let op i =
            match nodes[i].Op with
            | DropPath _ -> DropPath 0.0
            | op -> op

        box
        |> List.map (fun one -> one.Call |> Option.map _.Name, structure op one.Nodes 0)
        |> List.map (fun (call, layers) -> call, layers |> List.map (fun (op, inputs, _) -> op, inputs))

    /// Which units share a box: what is minor goes with the layer before it, or, where a network normalises first, with
    /// the layer behind it.
    member _.Boxes(region: Unit list) : Unit list list =
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

    /// What a box takes from others.
    member _.Inputs(box: Unit list) =
        let inside = box |> List.collect _.Nodes |> HashSet

        box
        |> List.collect _.Nodes
        |> List.collect (fun i -> nodes[i].Inputs)
        |> List.filter (fun input -> not (inside.Contains input))
        |> List.distinct

    /// The node of a box that others take, or its last one.
    member _.Output(box: Unit list) =
        let inside = box |> List.collect _.Nodes
        let last = List.last inside

        inside
        |> List.tryFindBack (fun i -> lastUse[i] |> Option.exists (fun user -> user > last))
        |> Option.defaultValue last

    /// Whether nothing but the box takes the node.
    member _.Serves(input: int, box: Unit list) =
        box
        |> List.collect _.Nodes
        |> List.sumBy (fun i -> nodes[i].Inputs |> List.filter ((=) input) |> List.length)
        |> (=) uses[input]
