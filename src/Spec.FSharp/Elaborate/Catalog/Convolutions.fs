/// Layers whose weights mix channels: convolutions and the fully connected layer.
module internal CnnSpec.Elaborate.Convolutions

open CnnSpec.Operators
open Parameter
open Window

let private outChannels = required "out_channels" channels "channels of the output"

let private stride = optional "stride" size (Int 1L) "step between windows"

let private padding = optional "padding" Padding (Int 0L) "zeros around the map"

let private groups =
    optional "groups" channels (Int 1L) "independent groups of channels; `groups=channels` is depthwise"

let private bias =
    optional "bias" Flag (Bool true) "add a trainable bias to each channel"

let private convolution (bound: Bound) input =
    let kernel = bound.Extent "kernel"
    let stride = bound.Extent "stride"
    let dilation = bound.Extent "dilation"

    Conv
        {
            OutChannels = bound.Int "out_channels"
            Kernel = kernel
            Stride = stride
            Padding = margins bound kernel stride dilation input
            Dilation = dilation
            Groups = bound.Int "groups"
            Bias = bound.Flag "bias"
        }

let private transposed (bound: Bound) _ =
    ConvTranspose
        {
            OutChannels = bound.Int "out_channels"
            Kernel = bound.Extent "kernel"
            Stride = bound.Extent "stride"
            Padding = bound.Extent "padding"
            OutputPadding = bound.Extent "output_padding"
            Dilation = bound.Extent "dilation"
            Groups = bound.Int "groups"
            Bias = bound.Flag "bias"
        }

let all: Operator list =
    let operator = Operator.create "Convolutions"

    [
        operator
            "conv"
            [ outChannels; kernel; stride; padding; dilation; groups; bias ]
            "Two-dimensional convolution (cross-correlation): `[C,H,W] → [K,H',W']` with `H' = ⌊(H + P − d(k−1) − 1)/s⌋ + 1`."
            "LeCun et al. 1998, Gradient-based learning applied to document recognition, section II-A"
            "conv(32, kernel=[3, 5], stride=2, padding=[1, 2])"
            convolution
        operator
            "conv_transpose"
            [
                outChannels
                kernel
                stride
                evenPadding
                optional "output_padding" (Size 0L) (Int 0L) "rows and columns added to one side of the output"
                dilation
                groups
                bias
            ]
            "Transposed convolution: `[C,H,W] → [K,H',W']` with `H' = (H−1)s − 2p + d(k−1) + output_padding + 1`."
            "Dumoulin & Visin 2016, arXiv:1603.07285, section 4"
            "conv_transpose(8, kernel=4, stride=2, padding=1)"
            transposed
        operator
            "linear"
            [
                required "out_features" channels "features of the output"
                optional "bias" Flag (Bool true) "add a trainable bias to each feature"
            ]
            "Fully connected layer: `[F] → [G]`. It needs features; flatten comes before it."
            ""
            "flatten; linear(10)"
            (fun bound _ -> Linear(bound.Int "out_features", bound.Flag "bias"))
    ]
