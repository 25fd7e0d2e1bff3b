/// The contract between compiler and runtime: a flat list of operations with exact shapes, named weights and how each
/// begins. Nothing of the language is left in it.
namespace CnnSpec.Ir

open CnnSpec.Operators

/// One operation. `Inputs` are positions in the program's node list, all smaller than its own.
type IrNode =
    {
        Path: string
        /// The spec's word for it: `conv`, `add`.
        Operator: string
        Op: Op
        Inputs: int list
        Shape: Shape
        /// Names are whole: `layer1.0.conv1.weight`.
        Weights: Weight list
        /// Part of an auxiliary head: left out in evaluation.
        TrainingOnly: bool
        /// Where the spec says so, for messages.
        Line: int
    }

type IrHead = { Node: int; LossWeight: float }

/// A call of a block, for drawings: the layers whose paths begin with its own came of it.
type IrBlock = { Path: string; Name: string }

type Program =
    {
        Network: string
        Input: Shape
        Nodes: IrNode list
        /// The node whose value the network returns.
        Output: int
        AuxiliaryHeads: IrHead list
        /// In the order of the nodes, an outer call before those inside it.
        Blocks: IrBlock list
    }

[<RequireQualifiedAccess>]
module Program =

    let outputShape (program: Program) = program.Nodes[program.Output].Shape

    let inputShapes (program: Program) =
        let nodes = List.toArray program.Nodes

        fun (node: IrNode) -> node.Inputs |> List.map (fun id -> nodes[id].Shape)

    let parameters (program: Program) =
        program.Nodes |> List.sumBy (fun node -> CnnSpec.Shape.Cost.parameters node.Weights)
