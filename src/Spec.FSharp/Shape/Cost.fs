/// What an operation costs: parameters and multiply-accumulates (MACs) for one sample.
module CnnSpec.Shape.Cost

open CnnSpec.Operators

let private total (sizes: int64 list) =
    Shape.elements sizes |> Option.defaultValue Shape.mostElements

/// Values that training adjusts.
let parameters (weights: Weight list) : int64 =
    weights |> List.filter _.Trainable |> List.sumBy (fun w -> total w.Shape)

/// More work than this in one layer (2⁴⁶, hours on any machine) is reported as this much, so that sums stay exact.
let private mostWork = 1I <<< 46

let private work (positions: int64) (factors: int64 list) =
    (bigint positions, factors)
    ||> List.fold (fun product factor -> min mostWork (product * bigint factor))
    |> int64

/// Multiply-accumulates of one forward pass of one sample. Only operations whose work is multiplying by weights count
/// (convolutions and linear layers), which is the convention of the papers' tables; biases are not counted.
let macs (op: Op) (inputs: Shape list) (output: Shape) : int64 =
    let input = List.tryHead inputs |> Option.defaultValue []
    let channels = List.tryHead input |> Option.defaultValue 0L

    match op with
    | Conv c -> work (total output) [ channels / int64 c.Groups; int64 c.Kernel.Height; int64 c.Kernel.Width ]
    | ConvTranspose c ->
        work (total input) [ int64 (c.OutChannels / c.Groups); int64 c.Kernel.Height; int64 c.Kernel.Width ]
    | Linear(outFeatures, _) -> work channels [ int64 outFeatures ]
    | Input
    | MaxPool _
    | AvgPool _
    | AdaptiveMaxPool _
    | AdaptiveAvgPool _
    | BatchNorm _
    | LayerNorm _
    | GroupNorm _
    | InstanceNorm _
    | LocalResponseNorm _
    | Activate _
    | PRelu _
    | Softmax
    | LogSoftmax
    | Dropout _
    | Dropout2d _
    | DropPath _
    | Flatten
    | Reshape _
    | Permute _
    | Slice _
    | ChannelShuffle _
    | PixelShuffle _
    | Upsample _
    | Pad _
    | LayerScale _
    | Affine _
    | Identity
    | Concat
    | Add
    | Multiply _ -> 0L
