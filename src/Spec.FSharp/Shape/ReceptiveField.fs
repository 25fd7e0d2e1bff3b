/// How much of the input one value of a map can see: Araujo, Norris & Sim 2019, "Computing receptive fields of
/// convolutional neural networks", Distill, section "Single-path networks".
module CnnSpec.Shape.ReceptiveField

open CnnSpec.Operators

/// Along one axis: how many input cells a value sees, and how far apart (in input cells) neighbouring values look.
[<Struct>]
type Axis = { Size: float; Jump: float }

type Field =
    /// A window of the input.
    | Window of height: Axis * width: Axis
    /// All of the input: behind a global pool, flatten or a linear layer.
    | Everything

let input = Window({ Size = 1.0; Jump = 1.0 }, { Size = 1.0; Jump = 1.0 })

let private slide kernel stride dilation (axis: Axis) =
    {
        Size = axis.Size + float (Formulas.dilatedKernel kernel dilation - 1L) * axis.Jump
        Jump = axis.Jump * float stride
    }

let private window (kernel: Extent) (stride: Extent) (dilation: Extent) field =
    match field with
    | Window(h, w) ->
        Window(slide kernel.Height stride.Height dilation.Height h, slide kernel.Width stride.Width dilation.Width w)
    | Everything -> Everything

/// Each output cell of a transposed convolution or an upsampling sees at most ⌈k/s⌉ input cells.
let private spread reach factor field =
    let axis (a: Axis) =
        { Size = a.Size + float (reach - 1) * a.Jump; Jump = a.Jump / float factor }

    match field with
    | Window(h, w) -> Window(axis h, axis w)
    | Everything -> Everything

let private join fields =
    let larger (a: Axis) (b: Axis) =
        { Size = max a.Size b.Size; Jump = max a.Jump b.Jump }

    let combine a b =
        match a, b with
        | Window(h, w), Window(h', w') -> Window(larger h h', larger w w')
        | _ -> Everything

    match fields with
    | [] -> input
    | fields -> List.reduce combine fields

/// The receptive field of an operation's output, from those of its inputs.
let output (op: Op) (fields: Field list) : Field =
    let field = join fields

    match op with
    | Input -> input
    | Conv c -> window c.Kernel c.Stride c.Dilation field
    | MaxPool p -> window p.Kernel p.Stride p.Dilation field
    | AvgPool p -> window p.Kernel p.Stride Extent.one field
    | ConvTranspose c ->
        let reach kernel stride = (kernel + stride - 1) / stride
        spread (reach (max c.Kernel.Height c.Kernel.Width) (min c.Stride.Height c.Stride.Width)) c.Stride.Height field
    | Upsample(factor, interpolation) -> spread (if interpolation = Bilinear then 2 else 1) factor field
    | PixelShuffle factor -> spread 1 factor field
    // Statistics and means over a whole map see all of it.
    | AdaptiveMaxPool _
    | AdaptiveAvgPool _
    | LayerNorm(_, false)
    | GroupNorm _
    | InstanceNorm _
    | Linear _
    | Flatten
    | Reshape _ -> Everything
    | LayerNorm(_, true)
    | BatchNorm _
    | LocalResponseNorm _
    | Activate _
    | PRelu _
    | Softmax
    | LogSoftmax
    | Dropout _
    | Dropout2d _
    | DropPath _
    | Permute _
    | Slice _
    | ChannelShuffle _
    | Pad _
    | LayerScale _
    | Affine _
    | Identity
    | Concat
    | Add
    | Multiply _ -> field
