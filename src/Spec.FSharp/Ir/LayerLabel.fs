/// What a drawing says of a layer: the operation with the sizes that tell it from others. Several layers that stand at
/// the same place of a block's calls get one label, with all their sizes.
module CnnSpec.Ir.LayerLabel

open CnnSpec.Operators

/// A piece of a label: a word, or a number that may differ from call to call.
type private Piece =
    | Word of string
    /// Left out where it is `usual` in all calls.
    | Number of before: string * value: int64 * usual: int64 option

let private number (value: int) = Number("", int64 value, None)

let private pieces (node: IrNode) : Piece list =
    let window (extent: Extent) = Word $"{extent.Height}×{extent.Width}"

    let stride (extent: Extent) =
        if extent.Height = extent.Width then
            Number(", stride ", int64 extent.Height, Some 1L)
        else
            Word $", stride {extent.Height}×{extent.Width}"

    let dilation (extent: Extent) =
        Number(", dilation ", int64 (max extent.Height extent.Width), Some 1L)

    // A filter that sees one channel of several.
    let isDepthwise =
        match node.Op, node.Weights with
        | Conv { Groups = groups }, { Shape = _ :: 1L :: _ } :: _ -> groups > 1
        | _ -> false

    match node.Op with
    | Conv c ->
        [
            window c.Kernel
            Word(if isDepthwise then " depthwise conv, " else " conv, ")
            number c.OutChannels
            stride c.Stride
            dilation c.Dilation
            (if isDepthwise then
                 Word ""
             else
                 Number(", groups ", int64 c.Groups, Some 1L))
        ]
    | ConvTranspose c -> [ window c.Kernel; Word " transposed conv, "; number c.OutChannels; stride c.Stride ]
    | MaxPool p -> [ window p.Kernel; Word " max pool"; stride p.Stride; dilation p.Dilation ]
    | AvgPool p -> [ window p.Kernel; Word " average pool"; stride p.Stride ]
    | AdaptiveMaxPool size when size = Extent.one -> [ Word "global max pool" ]
    | AdaptiveAvgPool size when size = Extent.one -> [ Word "global average pool" ]
    | AdaptiveMaxPool size -> [ Word "max pool to "; window size ]
    | AdaptiveAvgPool size -> [ Word "average pool to "; window size ]
    | Linear(features, _) -> [ Word "linear, "; number features ]
    | Dropout p -> [ Word $"dropout {p}" ]
    | Slice(start, stop) -> [ Word "channels "; number start; Word " to "; number (stop - 1) ]
    | Op.Input -> [ Word "input" ]
    | Add -> [ Word "add" ]
    | Multiply _ -> [ Word "multiply" ]
    | _ -> [ Word(node.Operator.Replace('_', ' ')) ]

/// One size, a few, or the least and the most.
let private sizes (values: int64 list) =
    match List.sort (List.distinct values) with
    | [ one ] -> string one
    | few when few.Length <= 3 -> System.String.Join("/", few)
    | many -> $"{List.head many}–{List.last many}"

/// The label of layers that stand at the same place. They have the same operation.
let text (nodes: IrNode list) : string =
    let written =
        nodes
        |> List.map pieces
        |> List.transpose
        |> List.map (fun column ->
            match column with
            | Number(before, _, usual) :: _ ->
                let values =
                    column
                    |> List.choose (function
                        | Number(_, value, _) -> Some value
                        | Word _ -> None)

                if values |> List.forall (fun value -> Some value = usual) then
                    ""
                else
                    before + sizes values
            | _ ->
                column
                |> List.choose (function
                    | Word word -> Some word
                    | Number _ -> None)
                |> List.distinct
                |> String.concat "/")

    String.concat "" written

/// Layers that go with the one before or behind them and need no box of their own.
let isMinor (op: Op) =
    match op with
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
    | Identity
    | LayerScale _
    | Affine _ -> true
    | _ -> false

let isNormalisation (op: Op) =
    match op with
    | BatchNorm _
    | LayerNorm _
    | GroupNorm _
    | InstanceNorm _ -> true
    | _ -> false
