/// From the graph as the spec drew it to operations that libtorch has.
module CnnSpec.Ir.Lower

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Elaborate

/// Whether a rule is for this weight. `conv` and `conv.weight` name an operator, `weight` the filters of all layers
/// (not the factors of normalisation), `bias` all biases, anything else a path or its beginning.
let private selects (rule: InitialiserRule) (node: Node) (weight: Weight) =
    let full =
        if node.Path = "" then
            weight.Name
        else
            $"{node.Path}.{weight.Name}"

    weight.Learnt
    && (match rule.Selector with
        | "weight" -> weight.Name = "weight" && weight.Shape.Length >= 2
        | "bias" -> weight.Name = "bias"
        | selector ->
            (selector = node.Operator && weight.Name = "weight")
            || selector = $"{node.Operator}.{weight.Name}"
            || selector = full
            || (selector = node.Path && weight.Name = "weight"))

/// The weights of a node with their full names and the initialiser of the last rule that names each.
let private initialised (rules: InitialiserRule list) (node: Node) =
    node.Weights
    |> List.map (fun weight ->
        let rule = rules |> List.tryFindBack (fun rule -> selects rule node weight)

        { weight with
            Name = $"{node.Path}.{weight.Name}"
            Initialiser = rule |> Option.fold (fun _ r -> r.Initialiser) weight.Initialiser
        })

/// A rule that is for no weight is a slip.
let unusedRules (graph: Graph) : Diagnostic list =
    graph.Initialisers
    |> List.filter (fun rule ->
        graph.Nodes
        |> List.forall (fun node -> node.Weights |> List.forall (fun weight -> not (selects rule node weight))))
    |> List.map (fun rule ->
        Diagnostic.error "E0215" rule.Span $"no weight is called '{rule.Selector}'"
        |> Diagnostic.withHelp
            "name an operator (conv, linear.bias), all filters (weight), all biases (bias) or a layer's path")

/// Convolutions whose padding differs between opposite sides become a padding and a convolution; nothing else changes,
/// so a program's nodes can be read beside the spec.
let program (graph: Graph) : Program =
    let nodes = ResizeArray<IrNode>()
    let position = System.Collections.Generic.Dictionary<int, int>()
    let shapes = graph.Nodes |> List.map (fun n -> n.Id, n.Shape) |> dict

    for node in graph.Nodes do
        let basic =
            {
                Path = node.Path
                Operator = node.Operator
                Op = node.Op
                Inputs = node.Inputs |> List.map (fun id -> position[id])
                Shape = node.Shape
                Weights = initialised graph.Initialisers node
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
    }
