namespace CnnSpec.Operators

/// A height and a width: kernels, strides, dilations, map sizes.
[<Struct>]
type Extent =
    {
        Height: int
        Width: int
    }

    override this.ToString() =
        if this.Height = this.Width then
            string this.Height
        else
            $"[{this.Height}, {this.Width}]"

/// Rows and columns added around a map.
[<Struct>]
type Margins =
    {
        Top: int
        Bottom: int
        Left: int
        Right: int
    }

    /// The same on opposite sides, which is what libtorch's convolutions and pools can pad by themselves.
    member this.IsSymmetric = this.Top = this.Bottom && this.Left = this.Right
    member this.IsZero = this.Top = 0 && this.Bottom = 0 && this.Left = 0 && this.Right = 0

/// `[C,H,W] → [K,H',W']`, or transposed.
type Convolution =
    {
        OutChannels: int
        Kernel: Extent
        Stride: Extent
        Padding: Margins
        Dilation: Extent
        Groups: int
        Bias: bool
    }

type TransposedConvolution =
    {
        OutChannels: int
        Kernel: Extent
        Stride: Extent
        Padding: Extent
        OutputPadding: Extent
        Dilation: Extent
        Groups: int
        Bias: bool
    }

type MaxPooling =
    {
        Kernel: Extent
        Stride: Extent
        Padding: Extent
        Dilation: Extent
        /// Round the output size up: a last window that hangs over the edge counts.
        Ceil: bool
    }

type AveragePooling =
    {
        Kernel: Extent
        Stride: Extent
        Padding: Extent
        Ceil: bool
        /// Zeros of the padding count in the mean.
        CountPadding: bool
    }

type Normalisation = { Epsilon: float; Affine: bool }

type BatchNormalisation =
    {
        Epsilon: float
        /// Weight of the new batch in the running statistics.
        Momentum: float
        Affine: bool
    }

type Activation =
    | Relu
    | Relu6
    | LeakyRelu of slope: float
    | Elu of alpha: float
    | Selu
    | Gelu of tanhApproximation: bool
    | Silu
    | Mish
    | Softplus
    | Sigmoid
    | Tanh
    | HardSigmoid
    | HardSwish

type PaddingMode =
    | Zeros
    | Reflect
    | Replicate

type Interpolation =
    | Nearest
    | Bilinear

/// Every operation that a network can contain. Shapes leave out the batch dimension: a map is `[C,H,W]`, features are
/// `[F]`. The compiler refuses an incomplete match over these cases, so each one has a shape rule (`Infer`), a cost
/// (`Cost`) and weights (`Weights`); the runtime's table is held to the list by a test.
type Op =
    | Input
    | Conv of Convolution
    | ConvTranspose of TransposedConvolution
    | Linear of outFeatures: int * bias: bool
    | MaxPool of MaxPooling
    | AvgPool of AveragePooling
    | AdaptiveMaxPool of Extent
    | AdaptiveAvgPool of Extent
    | BatchNorm of BatchNormalisation
    /// Over channels, height and width together, or over the channels of each pixel.
    | LayerNorm of Normalisation * perPixel: bool
    | GroupNorm of groups: int * Normalisation
    | InstanceNorm of Normalisation
    | LocalResponseNorm of size: int * alpha: float * beta: float * k: float
    | Activate of Activation
    /// A trainable slope for negative values, one for each channel or one for all.
    | PRelu of perChannel: bool * initial: float
    | Softmax
    | LogSoftmax
    /// Sets single values to zero.
    | Dropout of probability: float
    /// Sets whole channels to zero.
    | Dropout2d of probability: float
    /// Sets a sample's whole tensor to zero (stochastic depth).
    | DropPath of probability: float
    | Flatten
    | Reshape of int64 list
    | Permute of int list
    /// Channels `start` (inclusive) to `stop` (exclusive).
    | Slice of start: int * stop: int
    | ChannelShuffle of groups: int
    | PixelShuffle of factor: int
    | Upsample of factor: int * Interpolation
    | Pad of Margins * PaddingMode
    /// A trainable factor for each channel.
    | LayerScale of initial: float
    /// A fixed factor and offset for each channel (one number serves all channels).
    | Affine of scale: float list * shift: float list
    | Identity
    /// Along the channels.
    | Concat
    | Add
    /// Element by element; where `broadcast`, a `[C,1,1]` operand scales the channels of a `[C,H,W]` one.
    | Multiply of broadcast: bool

[<RequireQualifiedAccess>]
module Extent =
    let square size = { Height = size; Width = size }
    let one = square 1

[<RequireQualifiedAccess>]
module Margins =
    let symmetric (padding: Extent) =
        {
            Top = padding.Height
            Bottom = padding.Height
            Left = padding.Width
            Right = padding.Width
        }

    let zero = symmetric (Extent.square 0)
