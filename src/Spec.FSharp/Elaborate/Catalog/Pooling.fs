/// One value for each window, cell or channel.
module internal CnnSpec.Elaborate.Pooling

open CnnSpec.Operators
open Parameter
open Window

let private poolStride =
    optional "stride" size Nothing "step between windows; the kernel's size if unsaid"

let private ceilMode =
    optional "ceil" Flag (Bool false) "round the output size up: a window may hang over the edge"

let private maxPool (bound: Bound) _ =
    let kernel = bound.Extent "kernel"

    MaxPool
        {
            Kernel = kernel
            Stride = bound.TryExtent "stride" |> Option.defaultValue kernel
            Padding = bound.Extent "padding"
            Dilation = bound.Extent "dilation"
            Ceil = bound.Flag "ceil"
        }

let private averagePool (bound: Bound) _ =
    let kernel = bound.Extent "kernel"

    AvgPool
        {
            Kernel = kernel
            Stride = bound.TryExtent "stride" |> Option.defaultValue kernel
            Padding = bound.Extent "padding"
            Ceil = bound.Flag "ceil"
            CountPadding = bound.Flag "count_padding"
        }

let all: Operator list =
    let operator = Operator.create "Pooling"
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
