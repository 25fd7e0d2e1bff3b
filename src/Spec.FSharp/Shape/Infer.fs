/// The shape of an operation's output, from the shapes of its inputs.
module CnnSpec.Shape.Infer

open CnnSpec.Operators
open CnnSpec.Shape.Mismatch

let private reshape (target: int64 list) (shape: Shape) =
    match Shape.elements shape, Shape.elements target with
    | _ when target.IsEmpty || List.exists (fun size -> size < 1L) target ->
        mismatch
            "E0306"
            $"a shape is a list of positive sizes, and this is {Shape.describe target}"
            []
            (Some "compute a size from the others, as in reshape([channels, height * width, 1])")
    | Some have, Some want when have = want -> Ok target
    | have, want ->
        let count = Option.fold (fun _ n -> string n) "too many"

        mismatch
            "E0306"
            $"{Shape.describe shape} cannot be reshaped to {Shape.describe target}"
            [ $"It has {count have} values, and the new shape needs {count want}." ]
            (if target.Length = 1 then
                 Some "flatten puts all values in a row, however many they are"
             else
                 Some "compute a size from the others, as in reshape([channels, height * width, 1])")

let private permute (order: int list) (shape: Shape) =
    if List.sort order <> [ 0 .. shape.Length - 1 ] then
        let axes = System.String.Join(", ", [ 0 .. shape.Length - 1 ])

        mismatch
            "E0306"
            $"permute needs each of the axes {axes} once"
            [ "Axes are counted without the batch: 0 is channels, 1 height, 2 width." ]
            (Some "permute([0, 2, 1]) swaps height and width")
    else
        Ok(order |> List.map (fun axis -> shape[axis]))

let private slice start stop shape =
    match shape with
    | c :: rest when 0 <= start && start < stop && int64 stop <= c -> Ok(int64 (stop - start) :: rest)
    | c :: _ ->
        mismatch
            "E0306"
            $"channels {start} to {stop} cannot be sliced from {c} channels"
            []
            (Some $"stay within 0 to {c}")
    | [] -> mismatch "E0306" "there are no channels to slice" [] None

let private pad (m: Margins) mode shape =
    needsMap "pad" shape (fun c h w ->
        let tooWide =
            mode = Reflect && int64 (max m.Top m.Bottom) >= h
            || mode = Reflect && int64 (max m.Left m.Right) >= w

        if tooWide then
            mismatch
                "E0309"
                $"a {h}×{w} map has too few rows or columns to reflect into its padding"
                []
                (Some "pad by less than the map's size, or use mode=\"replicate\"")
        else
            Ok [ c; h + int64 (m.Top + m.Bottom); w + int64 (m.Left + m.Right) ])

/// All operands alike; the caller words the complaint, since it knows where the operands come from.
let private alike code verb (shapes: Shape list) =
    match shapes with
    | [] -> mismatch "E0306" "no branches to combine" [] None
    | first :: rest when List.forall ((=) first) rest -> Ok first
    | _ -> mismatch code $"these branches cannot be {verb}" [] None

let private concat (shapes: Shape list) =
    match shapes with
    | [] -> mismatch "E0306" "no branches to combine" [] None
    | first :: rest when rest |> List.forall (fun s -> s.Length = first.Length && List.tail s = List.tail first) ->
        Ok((shapes |> List.sumBy List.head) :: List.tail first)
    | _ -> mismatch "E0302" "these branches cannot be concatenated" [] None

/// `[C,1,1]` beside `[C,H,W]` in any order.
let private broadcast (shapes: Shape list) =
    let largest =
        shapes |> List.maxBy (fun s -> Shape.elements s |> Option.defaultValue 0L)

    let fits (shape: Shape) =
        shape = largest || (shape.Length = 3 && largest.Length = 3 && shape = [ largest.Head; 1L; 1L ])

    if List.forall fits shapes then
        Ok largest
    else
        mismatch "E0301" "these branches cannot be multiplied" [] None

let private divides what (factor: int64) (channels: int64) continuation =
    if channels % factor = 0L then
        continuation ()
    else
        mismatch
            "E0305"
            $"{factor} {what} do not divide {channels} channels"
            [ $"{channels} / {factor} leaves a remainder of {channels % factor}." ]
            None

let private unbounded (op: Op) (inputs: Shape list) : Result<Shape, Mismatch> =
    let input = List.tryHead inputs |> Option.defaultValue []

    match op with
    | Input -> Ok input
    | Conv c -> Windows.conv c input
    | ConvTranspose c -> Windows.transposed c input
    | Linear(outFeatures, _) ->
        match input with
        | [ _ ] -> Ok [ int64 outFeatures ]
        | [ c; h; w ] ->
            mismatch
                "E0304"
                $"linear needs features, and gets a map {Shape.describe input}"
                [ $"Flattened it has {c}·{h}·{w} = {c * h * w} features." ]
                (Some "put flatten before it")
        | other ->
            mismatch "E0304" $"linear needs features, and gets {Shape.describe other}" [] (Some "put flatten before it")
    | MaxPool p -> Windows.pool "max_pool" p.Kernel p.Stride p.Padding p.Dilation p.Ceil input
    | AvgPool p -> Windows.pool "avg_pool" p.Kernel p.Stride p.Padding Extent.one p.Ceil input
    | AdaptiveMaxPool size
    | AdaptiveAvgPool size ->
        needsMap "adaptive pooling" input (fun c _ _ -> Ok [ c; int64 size.Height; int64 size.Width ])
    | BatchNorm _ ->
        match input with
        | [ _ ] -> Ok input
        | _ -> keepsMap "batch_norm" input
    | LayerNorm(_, false) -> Ok input
    | LayerNorm(_, true) -> keepsMap "layer_norm" input
    | GroupNorm(groups, _) ->
        keepsMap "group_norm" input
        |> Result.bind (fun s -> divides "groups" (int64 groups) s.Head (fun () -> Ok s))
    | InstanceNorm _ -> keepsMap "instance_norm" input
    | LocalResponseNorm _ -> keepsMap "local_response_norm" input
    | Dropout2d _ -> keepsMap "dropout2d" input
    | Upsample(factor, _) -> needsMap "upsample" input (fun c h w -> Ok [ c; h * int64 factor; w * int64 factor ])
    | ChannelShuffle groups ->
        keepsMap "channel_shuffle" input
        |> Result.bind (fun s -> divides "groups" (int64 groups) s.Head (fun () -> Ok s))
    | PixelShuffle factor ->
        needsMap "pixel_shuffle" input (fun c h w ->
            let subPixels = int64 factor * int64 factor

            divides $"sub-pixels ({factor} squared)" subPixels c (fun () ->
                Ok [ c / subPixels; h * int64 factor; w * int64 factor ]))
    | Pad(margins, mode) -> pad margins mode input
    | LayerScale _ -> keepsMap "layer_scale" input
    | Affine(scale, shift) ->
        match input with
        | c :: _ when [ scale; shift ] |> List.forall (fun values -> values.Length = 1 || int64 values.Length = c) ->
            Ok input
        | c :: _ -> mismatch "E0306" $"affine needs one number, or one for each of {c} channels" [] None
        | [] -> Ok input
    | Flatten ->
        match Shape.elements input with
        | Some elements -> Ok [ elements ]
        | None -> Ok input
    | Reshape target -> reshape target input
    | Permute order -> permute order input
    | Slice(start, stop) -> slice start stop input
    | Concat -> concat inputs
    | Add -> alike "E0301" "added" inputs
    | Multiply false -> alike "E0301" "multiplied" inputs
    | Multiply true -> broadcast inputs
    | Activate _
    | PRelu _
    | Softmax
    | LogSoftmax
    | Dropout _
    | DropPath _
    | Identity -> Ok input

/// The output shape of `op` on `inputs` (all without the batch), or why they do not fit. An output with more than 2⁴⁰
/// values is refused, so that no later sum can overflow.
let output (op: Op) (inputs: Shape list) : Result<Shape, Mismatch> =
    unbounded op inputs
    |> Result.bind (fun shape ->
        let tooLarge = Shape.elements shape |> Option.isNone

        let weight =
            Weights.ofOp op inputs |> List.tryFind (fun w -> Shape.elements w.Shape |> Option.isNone)

        let refuse what shape help =
            mismatch
                "E0307"
                $"this layer's {what} {Shape.describe shape} would have more than 2⁴⁰ values"
                []
                (Some help)

        match weight with
        | _ when tooLarge -> refuse "output" shape "make the layer smaller"
        | Some weight -> refuse weight.Name weight.Shape "make the layer smaller, or pool before it"
        | None -> Ok shape)
