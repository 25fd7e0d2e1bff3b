/// THE operator table: every layer that a spec can name, its parameters, its documentation, and the operation it makes.
/// The parser needs none of it, the checker reads the parameters, elaboration calls `Build`, the language reference and
/// the tests are written from it.
module CnnSpec.Elaborate.Catalog

open System.Collections.Generic
open CnnSpec.Operators
open CnnSpec.Shape

type Operator =
    {
        Signature: Signature
        Family: string
        Summary: string
        /// Paper and section, where there is one.
        Reference: string
        /// A call that compiles on a `[16, 20, 28]` map (or, after flatten, on features).
        Example: string
        /// The operation for these arguments on an input of this shape.
        Build: Bound -> Shape -> Op
    }

let private families = ResizeArray<string>()

let private operator family name parameters summary reference example build =
    if not (families.Contains family) then
        families.Add family

    {
        Signature = { Name = name; Parameters = parameters }
        Family = family
        Summary = summary
        Reference = reference
        Example = example
        Build = build
    }

open Parameter

let private outChannels = required "out_channels" channels "channels of the output"
let private kernel = required "kernel" size "window size"
let private stride = optional "stride" size (Int 1L) "step between windows"

let private poolStride =
    optional "stride" size Nothing "step between windows; the kernel's size if unsaid"

let private padding = optional "padding" Padding (Int 0L) "zeros around the map"

let private evenPadding =
    optional "padding" (Size 0L) (Int 0L) "cells around the map, the same on opposite sides"

let private dilation =
    optional "dilation" size (Int 1L) "distance between the taps of the window"

let private groups =
    optional "groups" channels (Int 1L) "independent groups of channels; `groups=channels` is depthwise"

let private bias =
    optional "bias" Flag (Bool true) "add a learnt offset to each channel"

let private epsilon value =
    optional "eps" positive (Float value) "added to the variance"

let private affine value =
    optional "affine" Flag (Bool value) "learn a factor and an offset for each channel"

let private ceilMode =
    optional "ceil" Flag (Bool false) "round the output size up: a window may hang over the edge"

let private drop value =
    optional "p" probability (Float value) "probability"

/// Explicit margins of a padding argument. For `"same"`, what makes the output `⌈size / stride⌉`; an odd cell goes to
/// the bottom and right, as in TensorFlow and as PyTorch's `padding='same'` does.
let private margins (bound: Bound) (kernel: Extent) (stride: Extent) (dilation: Extent) (input: Shape) =
    match bound.Value "padding", input with
    | Text "same", [ _; height; width ] ->
        // A window far larger than any map would need more padding than an `int` holds; it fails as one that does not fit.
        let together size kernel stride dilation =
            int (min (Formulas.samePadding size kernel stride dilation) Parameter.mostChannels)

        let vertical = together height kernel.Height stride.Height dilation.Height
        let horizontal = together width kernel.Width stride.Width dilation.Width

        {
            Top = vertical / 2
            Bottom = vertical - vertical / 2
            Left = horizontal / 2
            Right = horizontal - horizontal / 2
        }
    | List [ Int top; Int bottom; Int left; Int right ], _ ->
        { Top = int top; Bottom = int bottom; Left = int left; Right = int right }
    | List [ Int height; Int width ], _ -> Margins.symmetric { Height = int height; Width = int width }
    | Int size, _ -> Margins.symmetric (Extent.square (int size))
    | _ -> Margins.zero

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
            Padding = bound.TryExtent "padding" |> Option.defaultValue (Extent.square 0)
            OutputPadding = bound.TryExtent "output_padding" |> Option.defaultValue (Extent.square 0)
            Dilation = bound.Extent "dilation"
            Groups = bound.Int "groups"
            Bias = bound.Flag "bias"
        }

let private normalisation (bound: Bound) : Normalisation =
    { Epsilon = bound.Float "eps"; Affine = bound.Flag "affine" }

let private convolutions =
    let operator = operator "Convolutions"

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
                optional "bias" Flag (Bool true) "add a learnt offset to each feature"
            ]
            "Fully connected layer: `[F] → [G]`. It needs features; flatten comes before it."
            ""
            "flatten; linear(10)"
            (fun bound _ -> Linear(bound.Int "out_features", bound.Flag "bias"))
    ]

let private maxPool (bound: Bound) _ =
    let kernel = bound.Extent "kernel"

    MaxPool
        {
            Kernel = kernel
            Stride = bound.TryExtent "stride" |> Option.defaultValue kernel
            Padding = bound.TryExtent "padding" |> Option.defaultValue (Extent.square 0)
            Dilation = bound.Extent "dilation"
            Ceil = bound.Flag "ceil"
        }

let private averagePool (bound: Bound) _ =
    let kernel = bound.Extent "kernel"

    AvgPool
        {
            Kernel = kernel
            Stride = bound.TryExtent "stride" |> Option.defaultValue kernel
            Padding = bound.TryExtent "padding" |> Option.defaultValue (Extent.square 0)
            Ceil = bound.Flag "ceil"
            CountPadding = bound.Flag "count_padding"
        }

let private pools =
    let operator = operator "Pooling"
    let outputSize = required "size" size "output height and width"

    [
        operator
            "max_pool"
            [ kernel; poolStride; evenPadding; dilation; ceilMode ]
            "The largest value of each window."
            ""
            "max_pool(3, stride=2, padding=1)"
            maxPool
        operator
            "avg_pool"
            [
                kernel
                poolStride
                evenPadding
                ceilMode
                optional "count_padding" Flag (Bool true) "the padding's zeros count in the mean"
            ]
            "The mean of each window."
            ""
            "avg_pool([2, 4])"
            averagePool
        operator
            "adaptive_max_pool"
            [ outputSize ]
            "The largest value of each cell of a grid of the given size: `[C,H,W] → [C,size]`."
            ""
            "adaptive_max_pool([3, 2])"
            (fun bound _ -> AdaptiveMaxPool(bound.Extent "size"))
        operator
            "adaptive_avg_pool"
            [ outputSize ]
            "The mean of each cell of a grid of the given size: `[C,H,W] → [C,size]`."
            ""
            "adaptive_avg_pool(4)"
            (fun bound _ -> AdaptiveAvgPool(bound.Extent "size"))
        operator
            "global_avg_pool"
            []
            "The mean of each channel: `[C,H,W] → [C,1,1]`."
            "Lin et al. 2013, Network in network, arXiv:1312.4400, section 3.2"
            "global_avg_pool"
            (fun _ _ -> AdaptiveAvgPool Extent.one)
        operator
            "global_max_pool"
            []
            "The largest value of each channel: `[C,H,W] → [C,1,1]`."
            ""
            "global_max_pool"
            (fun _ _ -> AdaptiveMaxPool Extent.one)
    ]

let private norms =
    let operator = operator "Normalisation"

    [
        operator
            "batch_norm"
            [
                epsilon 1e-5
                optional "momentum" probability (Float 0.1) "weight of the new batch in the running statistics"
                affine true
            ]
            "Normalises each channel over the batch; in evaluation by running statistics. Maps or features."
            "Ioffe & Szegedy 2015, arXiv:1502.03167"
            "batch_norm"
            (fun bound _ ->
                BatchNorm
                    {
                        Epsilon = bound.Float "eps"
                        Momentum = bound.Float "momentum"
                        Affine = bound.Flag "affine"
                    })
        operator
            "layer_norm"
            [
                epsilon 1e-5
                affine true
                optional
                    "over"
                    (Choice [ "all"; "channels" ])
                    (Text "all")
                    "normalise the whole sample, or each pixel over its channels"
            ]
            "Normalises each sample by itself."
            "Ba et al. 2016, arXiv:1607.06450; over channels: Liu et al. 2022, arXiv:2201.03545"
            "layer_norm(over=\"channels\", eps=1e-6)"
            (fun bound _ -> LayerNorm(normalisation bound, bound.Text "over" = "channels"))
        operator
            "group_norm"
            [ required "groups" count "groups of channels"; epsilon 1e-5; affine true ]
            "Normalises groups of channels of each sample."
            "Wu & He 2018, arXiv:1803.08494"
            "group_norm(4)"
            (fun bound _ -> GroupNorm(bound.Int "groups", normalisation bound))
        operator
            "instance_norm"
            [ epsilon 1e-5; affine false ]
            "Normalises each channel of each sample."
            "Ulyanov et al. 2016, arXiv:1607.08022"
            "instance_norm"
            (fun bound _ -> InstanceNorm(normalisation bound))
        operator
            "local_response_norm"
            [
                optional "size" count (Int 5L) "neighbouring channels that count"
                optional "alpha" nonNegative (Float 1e-4) "factor of the sum of squares"
                optional "beta" anyNumber (Float 0.75) "exponent"
                optional "k" anyNumber (Float 1.0) "constant added to the sum (AlexNet: 2)"
            ]
            "Divides each value by the activity of the neighbouring channels; `alpha` is divided by `size`, as in PyTorch."
            "Krizhevsky et al. 2012, section 3.3"
            "local_response_norm(5, k=2)"
            (fun bound _ ->
                LocalResponseNorm(bound.Int "size", bound.Float "alpha", bound.Float "beta", bound.Float "k"))
    ]

let private activations =
    let activation name parameters summary reference build =
        operator "Activations" name parameters summary reference name (fun bound _ -> build bound)

    let simple name summary reference activated =
        activation name [] summary reference (fun _ -> Activate activated)

    [
        simple "relu" "`max(0, x)`" "Nair & Hinton 2010" Relu
        simple "relu6" "`min(max(0, x), 6)`" "Sandler et al. 2018, arXiv:1801.04381" Relu6
        activation
            "leaky_relu"
            [ optional "slope" anyNumber (Float 0.01) "slope for negative values" ]
            "`x`, and `slope·x` where negative"
            "Maas et al. 2013"
            (fun bound -> Activate(LeakyRelu(bound.Float "slope")))
        activation
            "elu"
            [ optional "alpha" nonNegative (Float 1.0) "limit for large negative values" ]
            "`x`, and `alpha·(eˣ − 1)` where negative"
            "Clevert et al. 2015, arXiv:1511.07289"
            (fun bound -> Activate(Elu(bound.Float "alpha")))
        simple "selu" "scaled ELU, self-normalising" "Klambauer et al. 2017, arXiv:1706.02515" Selu
        activation
            "gelu"
            [
                optional "approximate" (Choice [ "none"; "tanh" ]) (Text "none") "exact, or the tanh approximation"
            ]
            "`x·Φ(x)`"
            "Hendrycks & Gimpel 2016, arXiv:1606.08415"
            (fun bound -> Activate(Gelu(bound.Text "approximate" = "tanh")))
        simple "silu" "`x·sigmoid(x)`, also called swish" "Elfwing et al. 2017, arXiv:1702.03118" Silu
        simple "mish" "`x·tanh(softplus(x))`" "Misra 2019, arXiv:1908.08681" Mish
        simple "softplus" "`ln(1 + eˣ)`" "" Softplus
        simple "sigmoid" "`1 / (1 + e⁻ˣ)`" "" Sigmoid
        simple "tanh" "hyperbolic tangent" "" Tanh
        simple "hard_sigmoid" "`min(max(0, x/6 + ½), 1)`" "Howard et al. 2019, arXiv:1905.02244" HardSigmoid
        simple "hard_swish" "`x·hard_sigmoid(x)`" "Howard et al. 2019, arXiv:1905.02244" HardSwish
        activation
            "prelu"
            [
                optional "per_channel" Flag (Bool false) "a slope for each channel"
                optional "initial" anyNumber (Float 0.25) "the slope before training"
            ]
            "leaky ReLU whose slope is learnt"
            "He et al. 2015, arXiv:1502.01852"
            (fun bound -> PRelu(bound.Flag "per_channel", bound.Float "initial"))
        activation "softmax" [] "exponentials that sum to one, over channels or features" "" (fun _ -> Softmax)
        activation "log_softmax" [] "logarithm of softmax" "" (fun _ -> LogSoftmax)
    ]

let private regularisers =
    let operator = operator "Regularisation"

    [
        operator
            "dropout"
            [ drop 0.5 ]
            "Sets values to zero with probability `p` in training and scales the rest by `1/(1−p)`."
            "Srivastava et al. 2014"
            "dropout(0.5)"
            (fun bound _ -> Dropout(bound.Float "p"))
        operator
            "dropout2d"
            [ drop 0.5 ]
            "Dropout of whole channels."
            "Tompson et al. 2014, arXiv:1411.4280"
            "dropout2d(0.1)"
            (fun bound _ -> Dropout2d(bound.Float "p"))
        operator
            "drop_path"
            [ drop 0.1 ]
            "Stochastic depth: sets a sample's whole tensor to zero with probability `p` in training, scales the rest."
            "Huang et al. 2016, arXiv:1603.09382"
            "drop_path(0.2)"
            (fun bound _ -> DropPath(bound.Float "p"))
    ]

let private shapers =
    let operator = operator "Shape"

    [
        operator "flatten" [] "`[C,H,W] → [C·H·W]`, row-major." "" "flatten" (fun _ _ -> Flatten)
        operator
            "reshape"
            [ required "shape" Integers "the new shape, without the batch" ]
            "The same values in another shape."
            ""
            "reshape([channels * height, width, 1])"
            (fun bound _ -> Reshape(bound.Integers "shape"))
        operator
            "permute"
            [ required "axes" Integers "the old axes in their new order; 0 is channels, 1 height, 2 width" ]
            "Reorders the axes."
            ""
            "permute([0, 2, 1])"
            (fun bound _ -> Permute(bound.Ints "axes"))
        operator
            "slice"
            [
                required "start" (Integer(0L, mostChannels)) "first channel"
                required "stop" channels "the channel after the last"
            ]
            "Some of the channels."
            ""
            "slice(0, channels / 2)"
            (fun bound _ -> Slice(bound.Int "start", bound.Int "stop"))
        operator
            "channel_shuffle"
            [ required "groups" count "groups to interleave" ]
            "Interleaves groups of channels."
            "Zhang et al. 2017, ShuffleNet, arXiv:1707.01083, section 3.1"
            "channel_shuffle(4)"
            (fun bound _ -> ChannelShuffle(bound.Int "groups"))
        operator
            "pixel_shuffle"
            [ required "factor" count "by how much height and width grow" ]
            "Rearranges channels into space: `[C·r²,H,W] → [C,rH,rW]`."
            "Shi et al. 2016, arXiv:1609.05158"
            "pixel_shuffle(2)"
            (fun bound _ -> PixelShuffle(bound.Int "factor"))
        operator
            "upsample"
            [
                required "factor" count "by how much height and width grow"
                optional "mode" (Choice [ "nearest"; "bilinear" ]) (Text "nearest") "how values between are found"
            ]
            "Enlarges the map."
            ""
            "upsample(2, mode=\"bilinear\")"
            (fun bound _ ->
                Upsample(bound.Int "factor", (if bound.Text "mode" = "bilinear" then Bilinear else Nearest)))
        operator
            "pad"
            [
                required "padding" Padding "rows and columns to add"
                optional "mode" (Choice [ "zeros"; "reflect"; "replicate" ]) (Text "zeros") "what to fill them with"
            ]
            "Adds rows and columns around the map."
            ""
            "pad([0, 1, 0, 1])"
            (fun bound input ->
                let mode =
                    match bound.Text "mode" with
                    | "reflect" -> Reflect
                    | "replicate" -> Replicate
                    | _ -> Zeros

                Pad(margins bound Extent.one Extent.one Extent.one input, mode))
        operator
            "layer_scale"
            [ optional "initial" anyNumber (Float 1e-6) "the factor before training" ]
            "A learnt factor for each channel."
            "Touvron et al. 2021, arXiv:2103.17239, section 2"
            "layer_scale(1e-5)"
            (fun bound _ -> LayerScale(bound.Float "initial"))
        operator
            "affine"
            [
                optional "scale" Numbers (Float 1.0) "factor: a number, or one for each channel"
                optional "shift" Numbers (Float 0.0) "offset: a number, or one for each channel"
            ]
            "A fixed factor and offset: `scale·x + shift`."
            ""
            "affine(scale=0.5, shift=0.1)"
            (fun bound _ -> Affine(bound.Floats "scale", bound.Floats "shift"))
        operator "identity" [] "The input, unchanged." "" "identity" (fun _ _ -> Identity)
    ]

/// Every operator, in the order of the language reference.
let operators: Operator list =
    convolutions @ pools @ norms @ activations @ regularisers @ shapers

let private byName =
    let table = Dictionary<string, Operator>()

    for operator in operators do
        table[operator.Signature.Name] <- operator

    table

let tryFind name =
    match byName.TryGetValue name with
    | true, operator -> Some operator
    | _ -> None

let names: string list = operators |> List.map _.Signature.Name
