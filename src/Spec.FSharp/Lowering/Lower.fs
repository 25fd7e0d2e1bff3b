/// From the graph as the spec drew it to operations that libtorch has.
module CnnSpec.Lowering.Lower

open System.Collections.Generic
open CnnSpec.Text
open CnnSpec.Ir
open CnnSpec.Operators
open CnnSpec.Elaborate

/// The selectors that mean this weight. `conv` and `conv.weight` name an operator, `weight` the filters of all layers (not
/// the factors of normalisation), `bias` all biases; a path names one layer.
let private selectors (node: Node) (weight: Weight) =
    [
        if weight.Trainable then
            $"{node.Operator}.{weight.Name}"
            $"{node.Path}.{weight.Name}"

            if weight.Name = "weight" then
                node.Operator
                node.Path

            if weight.Name = "bias" || (weight.Name = "weight" && weight.Shape.Length >= 2) then
                weight.Name
    ]

/// The weights of a node with their full names and the initialiser of the last rule that names each. `rules` has the last
/// rule for each selector with its position.
let private initialised (rules: IDictionary<string, int * InitialiserRule>) (node: Node) =
    node.Weights
    |> List.map (fun weight ->
        let named =
            selectors node weight
            |> List.choose (fun selector ->
                match rules.TryGetValue selector with
                | true, found -> Some found
                | _ -> None)

        { weight with
            Name = $"{node.Path}.{weight.Name}"
            Initialiser =
                match named with
                | [] -> weight.Initialiser
                | _ -> (List.maxBy fst named |> snd).Initialiser
        })

/// A rule that is for no weight is a slip.
let unusedRules (graph: Graph) : Diagnostic list =
    if graph.Initialisers.IsEmpty then
        []
    else
        let meant =
            graph.Nodes |> Seq.collect (fun node -> node.Weights |> Seq.collect (selectors node)) |> HashSet

        graph.Initialisers
        |> List.filter (fun rule -> not (meant.Contains rule.Selector))
        |> List.map (fun rule ->
            Diagnostic.error "E0215" rule.Span $"no weight is called '{rule.Selector}'"
            |> Diagnostic.withHelp
                "name an operator (conv, linear.bias), all filters (weight), all biases (bias) or a layer's path")

/// The calls of blocks that layers came of.
let private blocks (graph: Graph) : IrBlock list =
    graph.Nodes
    |> Seq.collect (fun node -> List.rev node.Frames)
    |> Seq.choose (fun frame ->
        match frame.Step with
        | Expanding(block, path) -> Some({ Path = path; Name = block }: IrBlock)
        | Iteration _ -> None)
    |> Seq.distinct
    |> List.ofSeq

/// Convolutions whose padding differs between opposite sides become a padding and a convolution; nothing else changes,
/// so a program's nodes can be read beside the spec.
let program (graph: Graph) : Program =
    let nodes = ResizeArray<IrNode>()
    let position = Dictionary<int, int>()
    let shapes = graph.Nodes |> List.map (fun n -> n.Id, n.Shape) |> dict

    let rules =
        graph.Initialisers |> List.mapi (fun index rule -> rule.Selector, (index, rule)) |> Map.ofList

    for node in graph.Nodes do
        let basic =
            {
                Path = node.Path
                Operator = node.Operator
                Op = node.Op
                Inputs = node.Inputs |> List.map (fun id -> position[id])
                Shape = node.Shape
                Weights = initialised rules node
                TrainingOnly = node.TrainingOnly
                Line = (Span.start node.Span).Line
            }

        match node.Op, node.Inputs with
        | Conv conv, [ input ] when not conv.Padding.IsSymmetric ->
            let pad = conv.Padding

            match shapes[input] with
            | [ channels; height; width ] ->
                nodes.Add
                    { basic with
                        Path = node.Path + "(pad)"
                        Operator = "pad"
                        Op = Pad(pad, Zeros)
                        Shape =
                            [ channels; height + int64 (pad.Top + pad.Bottom); width + int64 (pad.Left + pad.Right) ]
                        Weights = []
                    }

                nodes.Add
                    { basic with
                        Op = Conv { conv with Padding = Margins.zero }
                        Inputs = [ nodes.Count - 1 ]
                    }
            | _ -> nodes.Add basic
        | _ -> nodes.Add basic

        position[node.Id] <- nodes.Count - 1

    {
        Network = graph.Name
        Input = graph.Input
        Nodes = List.ofSeq nodes
        Output = position[graph.Output]
        AuxiliaryHeads =
            graph.Auxiliaries |> List.map (fun head -> { Node = position[head.Node]; LossWeight = head.Weight })
        Blocks = blocks graph
    }
