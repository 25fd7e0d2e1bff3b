namespace CnnSpec.Operators

/// How a weight gets its first values. Fans: for `[K, C/g, h, w]` fan-in is `C/g·h·w`, fan-out is `K·h·w`.
type Initialiser =
    | Constant of float
    | Normal of mean: float * deviation: float
    | TruncatedNormal of mean: float * deviation: float
    | Uniform of low: float * high: float
    /// He et al. 2015, arXiv:1502.01852. `a` is the negative slope assumed for leaky ReLU.
    | KaimingNormal of fanOut: bool * a: float
    | KaimingUniform of fanOut: bool * a: float
    /// Glorot & Bengio 2010.
    | XavierNormal of gain: float
    | XavierUniform of gain: float
    | Orthogonal of gain: float
    /// PyTorch's default bias: uniform within `±1/√fan-in` of the layer's weight.
    | UniformByFanIn

/// A tensor that a layer owns: a trainable parameter, or (a buffer) only tracked.
type Weight =
    {
        /// As PyTorch names it: `weight`, `bias`, `running_mean`, …
        Name: string
        Shape: Shape
        /// Whether training changes it.
        Trainable: bool
        Initialiser: Initialiser
    }

/// Which tensors each operation owns, with PyTorch's names, shapes and default initial values.
[<RequireQualifiedAccess>]
module Weights =

    let private trainable name shape initialiser =
        { Name = name; Shape = shape; Trainable = true; Initialiser = initialiser }

    let private buffer name shape value =
        { Name = name; Shape = shape; Trainable = false; Initialiser = Constant value }

    let private filter shape outputs bias =
        // PyTorch's default for convolutions and linear layers: Kaiming uniform with a = √5.
        trainable "weight" shape (KaimingUniform(false, sqrt 5.0))
        :: (if bias then
                [ trainable "bias" [ outputs ] UniformByFanIn ]
            else
                [])

    let private scaleAndShift affine shape =
        if affine then
            [ trainable "weight" shape (Constant 1.0); trainable "bias" shape (Constant 0.0) ]
        else
            []

    /// The weights of an operation on inputs of these shapes.
    let ofOp (op: Op) (inputs: Shape list) : Weight list =
        let input = List.tryHead inputs |> Option.defaultValue []
        let channels = List.tryHead input |> Option.defaultValue 0L

        match op with
        | Conv c ->
            let shape =
                [ int64 c.OutChannels; channels / int64 c.Groups; int64 c.Kernel.Height; int64 c.Kernel.Width ]

            filter shape (int64 c.OutChannels) c.Bias
        | ConvTranspose c ->
            let shape =
                [ channels; int64 (c.OutChannels / c.Groups); int64 c.Kernel.Height; int64 c.Kernel.Width ]

            filter shape (int64 c.OutChannels) c.Bias
        | Linear(outFeatures, bias) -> filter [ int64 outFeatures; channels ] (int64 outFeatures) bias
        | BatchNorm n ->
            scaleAndShift n.Affine [ channels ]
            @ [
                buffer "running_mean" [ channels ] 0.0
                buffer "running_var" [ channels ] 1.0
                buffer "num_batches_tracked" [] 0.0
            ]
        | LayerNorm(n, perPixel) -> scaleAndShift n.Affine (if perPixel then [ channels ] else input)
        | GroupNorm(_, n)
        | InstanceNorm n -> scaleAndShift n.Affine [ channels ]
        | PRelu(perChannel, initial) ->
            [ trainable "weight" [ (if perChannel then channels else 1L) ] (Constant initial) ]
        | LayerScale initial -> [ trainable "weight" [ channels ] (Constant initial) ]
        | Input
        | MaxPool _
        | AvgPool _
        | AdaptiveMaxPool _
        | AdaptiveAvgPool _
        | LocalResponseNorm _
        | Activate _
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
        | Affine _
        | Identity
        | Concat
        | Add
        | Multiply _ -> []
