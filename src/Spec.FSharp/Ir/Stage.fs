/// The order and the grouping in which a program's operations are run. A program says what is computed and can be
/// read beside its spec; its stages say how, and compute the same.
namespace CnnSpec.Ir

open CnnSpec.Operators

/// What one stage does to its inputs, in one pass over memory where the machine has a kernel for it.
type Kernel =
    | Single of Op
    /// Batch normalisation, then (`sum`) the second input added, then (`relu`) negative values cut off.
    | Normalise of BatchNormalisation * sum: bool * relu: bool
    /// Max pooling, then negative values cut off: the same as ReLU first, on fewer values.
    | MaxPoolRelu of MaxPooling
    /// Concatenation by channel in memory that several share. The input number `within` lies with room for the others around
    /// it, and they are written there; where none does, the result gets so many channels of room `before` and `after` its
    /// own, which a later concatenation uses.
    | Join of within: int option * before: int64 * after: int64
    /// Convolutions of one input as one: their filters and their outputs follow each other by channel.
    | MergedConv of Convolution list
    /// Evaluation alone: a convolution, the batch normalisation after it folded into its weights, then (`sum`) the second
    /// input added, then (`relu`) negative values cut off. Its weights are the convolution's and the normalisation's.
    | Convolve of Convolution * norm: BatchNormalisation option * sum: bool * relu: bool

/// Some neighbouring channels of a feature map.
type ChannelRange = { First: int64; Count: int64 }

/// Values are numbered as the program's nodes are; what no node stands for is numbered after them.
type Stage =
    {
        /// Of the node that owns the weights.
        Path: string
        Kernel: Kernel
        Inputs: int list
        /// The value that this stage computes: of the last node it stands for.
        Output: int
        Weights: Weight list
        TrainingOnly: bool
        /// The channels of its input that a batch normalisation reads, where it does not read all.
        Channels: ChannelRange option
    }

[<RequireQualifiedAccess>]
module Stages =

    /// One stage for each operation.
    let plain (program: Program) : Stage list =
        program.Nodes
        |> List.mapi (fun index node ->
            {
                Path = node.Path
                Kernel = Single node.Op
                Inputs = node.Inputs
                Output = index
                Weights = node.Weights
                TrainingOnly = node.TrainingOnly
                Channels = None
            })
        |> List.filter (fun stage -> stage.Kernel <> Single Input)
