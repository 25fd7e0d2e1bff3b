/// What a network is and costs, layer by layer: the numbers behind `cnnspec summary`, the graph and the reports.
module CnnSpec.Ir.Summary

open CnnSpec.Operators
open CnnSpec.Shape

type Layer =
    {
        Path: string
        Operator: string
        Output: Shape
        Parameters: int64
        /// Multiply-accumulates for one image.
        Macs: int64
        /// Height and width in input cells; nothing where a value sees all of the input.
        ReceptiveField: (int64 * int64) option
        Line: int
        TrainingOnly: bool
    }

type Totals =
    {
        Parameters: int64
        Macs: int64
        /// Values of all outputs for one image: what a training step keeps for its backward pass.
        Activations: int64
    }

let layers (program: Program) : Layer list =
    let nodes = List.toArray program.Nodes
    let fields = Array.create nodes.Length ReceptiveField.Everything

    nodes
    |> Array.mapi (fun index node ->
        let inputs = node.Inputs |> List.map (fun id -> nodes[id].Shape)
        fields[index] <- ReceptiveField.output node.Op (node.Inputs |> List.map (fun id -> fields[id]))

        {
            Path = node.Path
            Operator = node.Operator
            Output = node.Shape
            Parameters = Cost.parameters node.Weights
            Macs = Cost.macs node.Op inputs node.Shape
            ReceptiveField =
                match fields[index] with
                | ReceptiveField.Window(h, w) when program.Input.Length = 3 ->
                    Some(int64 (ceil h.Size), int64 (ceil w.Size))
                | _ -> None
            Line = node.Line
            TrainingOnly = node.TrainingOnly
        })
    |> Array.toList

/// Auxiliary heads count in the parameters, as in the papers' tables, and not in the MACs of one evaluation.
let totals (program: Program) : Totals =
    let layers = layers program

    {
        Parameters = layers |> List.sumBy _.Parameters
        Macs = layers |> List.filter (fun l -> not l.TrainingOnly) |> List.sumBy _.Macs
        Activations = layers |> List.sumBy (fun l -> Shape.elements l.Output |> Option.defaultValue Shape.mostElements)
    }
