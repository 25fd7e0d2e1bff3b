/// Layers that rearrange, enlarge, cut, pad or scale their input.
module internal CnnSpec.Elaborate.Shapers

open CnnSpec.Operators
open Parameter
open Window

let all: Operator list =
    let operator = Operator.create "Shape"

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
            "A trainable factor for each channel."
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
