/// Shapes that windows leave: convolutions and pools, with the arithmetic that says why one does not fit.
module internal CnnSpec.Shape.Windows

open CnnSpec.Operators
open CnnSpec.Shape.Mismatch

/// One dimension of a window operation, with the numbers that explain a failure.
type private Axis =
    {
        Name: string
        Size: int64
        Kernel: int
        Stride: int
        Near: int
        Far: int
        Dilation: int
        Ceil: bool
    }

    member this.Output =
        if this.Ceil then
            Formulas.windowsRoundedUp this.Size this.Kernel this.Stride this.Near this.Dilation
        else
            Formulas.windows this.Size this.Kernel this.Stride (this.Near + this.Far) this.Dilation

let private axes (h: int64) (w: int64) (kernel: Extent) (stride: Extent) (padding: Margins) (dilation: Extent) ceil =
    {
        Name = "height"
        Size = h
        Kernel = kernel.Height
        Stride = stride.Height
        Near = padding.Top
        Far = padding.Bottom
        Dilation = dilation.Height
        Ceil = ceil
    },
    {
        Name = "width"
        Size = w
        Kernel = kernel.Width
        Stride = stride.Width
        Near = padding.Left
        Far = padding.Right
        Dilation = dilation.Width
        Ceil = ceil
    }

let private slide op verb (height: Axis, width: Axis) continuation =
    let failing = [ height; width ] |> List.filter (fun axis -> axis.Output < 1L)

    match failing with
    | [] -> continuation height.Output width.Output
    | axis :: _ ->
        let covered = Formulas.dilatedKernel axis.Kernel axis.Dilation
        let padding = axis.Near + axis.Far

        let message =
            $"the {op}'s window of {covered} does not fit a map whose {axis.Name} is {axis.Size}"
            + (if padding > 0 then
                   $" (with padding, {axis.Size + int64 padding})"
               else
                   "")

        let note =
            failing
            |> List.map (fun axis ->
                let arithmetic =
                    Formulas.explainWindows axis.Size axis.Kernel axis.Stride (axis.Near + axis.Far) axis.Dilation

                $"{axis.Name}: {arithmetic}, so no position is left to {verb}.")

        let missing = covered - axis.Size - int64 padding

        let help =
            if padding > 0 || axis.Dilation > 1 then
                $"use a kernel of at most {axis.Size + int64 padding}, or pad by {(missing + 1L) / 2L} more on each side"
            else
                $"use a kernel of at most {axis.Size}, padding={(covered - axis.Size + 1L) / 2L}, or fewer strides before it"

        mismatch "E0303" message note (Some help)

let private groupsDivide groups channels outChannels continuation =
    if channels % int64 groups <> 0L then
        mismatch
            "E0305"
            $"{groups} groups do not divide {channels} input channels"
            [ $"{channels} / {groups} leaves a remainder of {channels % int64 groups}." ]
            (Some "choose groups that divide the channels; groups=channels is a depthwise convolution")
    elif outChannels % groups <> 0 then
        mismatch
            "E0305"
            $"{groups} groups do not divide {outChannels} output channels"
            [ $"{outChannels} / {groups} leaves a remainder of {outChannels % groups}." ]
            (Some "choose an out_channels that is a multiple of groups")
    else
        continuation ()

let private halfKernel op (kernel: Extent) (padding: Extent) continuation =
    if 2 * padding.Height > kernel.Height || 2 * padding.Width > kernel.Width then
        mismatch
            "E0308"
            $"the {op}'s padding of {padding} is more than half its kernel of {kernel}"
            [ "A window could then lie in the padding alone, where there is nothing to pool." ]
            (Some $"use padding={kernel.Height / 2} or less, or a larger kernel")
    else
        continuation ()

/// `[C,H,W] → [K,H',W']`
let conv (c: Convolution) shape =
    needsMap "conv" shape (fun channels h w ->
        groupsDivide c.Groups channels c.OutChannels (fun () ->
            slide "convolution" "compute" (axes h w c.Kernel c.Stride c.Padding c.Dilation false) (fun h w ->
                Ok [ int64 c.OutChannels; h; w ])))

/// `[C,H,W] → [K,H',W']`
let transposed (c: TransposedConvolution) shape =
    needsMap "conv_transpose" shape (fun channels h w ->
        groupsDivide c.Groups channels c.OutChannels (fun () ->
            let output size kernel stride padding extra dilation =
                Formulas.transposed size kernel stride padding extra dilation

            let p = c.Padding

            let h' =
                output h c.Kernel.Height c.Stride.Height p.Height c.OutputPadding.Height c.Dilation.Height

            let w' =
                output w c.Kernel.Width c.Stride.Width p.Width c.OutputPadding.Width c.Dilation.Width

            let tooWide out (stride: int) (dilation: int) = out >= max stride dilation

            if
                tooWide c.OutputPadding.Height c.Stride.Height c.Dilation.Height
                || tooWide c.OutputPadding.Width c.Stride.Width c.Dilation.Width
            then
                mismatch
                    "E0303"
                    $"output_padding {c.OutputPadding} must be smaller than the stride or the dilation"
                    []
                    (Some $"use output_padding={max c.Stride.Height c.Dilation.Height - 1} or less")
            elif h' < 1L || w' < 1L then
                mismatch
                    "E0303"
                    $"the transposed convolution's padding of {p} leaves nothing of a {h}×{w} map"
                    [ $"height: ({h} − 1)·{c.Stride.Height} − 2·{p.Height} + {c.Kernel.Height} = {h'}." ]
                    (Some "use less padding or a larger kernel")
            else
                Ok [ int64 c.OutChannels; h'; w' ]))

/// `[C,H,W] → [C,H',W']`
let pool name kernel stride padding dilation ceil shape =
    needsMap name shape (fun c h w ->
        halfKernel "pool" kernel padding (fun () ->
            slide "pool" "pool" (axes h w kernel stride (Margins.symmetric padding) dilation ceil) (fun h w ->
                Ok [ c; h; w ])))
