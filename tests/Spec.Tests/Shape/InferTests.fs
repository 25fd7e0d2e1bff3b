/// What an operation makes of a shape: laws over random sizes, and what must be refused.
module CnnSpec.Spec.Tests.Shape.InferTests

open CnnSpec.Operators
open CnnSpec.Shape
open CnnSpec.Spec.Tests.Shape.Windows
open CnnSpec.Spec.Tests.Testing
open Expecto

let private forAll name law =
    property 500 [ typeof<Windows.Arbitrary> ] name law

let private extent (choose: Axis -> int) down across : Extent =
    { Height = choose down; Width = choose across }

let private convolution (down: Axis) (across: Axis) channels : Convolution =
    {
        OutChannels = channels
        Kernel = extent _.Kernel down across
        Stride = extent _.Stride down across
        Padding = { Top = down.Near; Bottom = down.Far; Left = across.Near; Right = across.Far }
        Dilation = extent _.Dilation down across
        Groups = 1
        Bias = true
    }

let private conv kernel stride padding =
    Conv
        {
            OutChannels = 4
            Kernel = Extent.square kernel
            Stride = Extent.square stride
            Padding = Margins.symmetric (Extent.square padding)
            Dilation = Extent.one
            Groups = 1
            Bias = true
        }

let private pool (down: Axis) (across: Axis) ceil : MaxPooling =
    {
        Kernel = extent _.Kernel down across
        Stride = extent _.Stride down across
        Padding = { Height = min down.Near (down.Kernel / 2); Width = min across.Near (across.Kernel / 2) }
        Dilation = extent _.Dilation down across
        Ceil = ceil
    }

/// `Some shape` where the operation fits.
let private shape op inputs =
    match Infer.output op inputs with
    | Ok shape -> Some shape
    | Error _ -> None

let private chain (input: Shape) (ops: Op list) =
    (Some input, ops)
    ||> List.fold (fun found op -> found |> Option.bind (fun input -> shape op [ input ]))

/// The shape of counted positions; nothing where an axis has none.
let private counted channels (height: int) (width: int) : Shape option =
    if height > 0 && width > 0 then
        Some [ channels; int64 height; int64 width ]
    else
        None

[<Tests>]
let tests =
    testList
        "shape inference"
        [
            forAll
                "a convolution's height and width are its own counts of window positions"
                (fun (down: Axis, across: Axis) ->
                    let expected = counted 7L (starts down).Length (starts across).Length
                    shape (Conv(convolution down across 7)) [ [ 3L; int64 down.Size; int64 across.Size ] ] = expected)

            forAll
                "a pool's height and width are its own counts, with ceil or without"
                (fun (down: Axis, across: Axis, ceil: bool) ->
                    let p = pool down across ceil

                    let positions (axis: Axis) padding =
                        let axis = { axis with Near = padding; Far = padding }
                        (if ceil then startsRoundedUp axis else starts axis).Length

                    let expected =
                        counted 3L (positions down p.Padding.Height) (positions across p.Padding.Width)

                    shape (MaxPool p) [ [ 3L; int64 down.Size; int64 across.Size ] ] = expected)

            forAll
                "what a convolution makes small its transposed convolution makes large again"
                (fun (down: Axis, across: Axis) ->
                    let down, across = { down with Far = down.Near }, { across with Far = across.Near }
                    let c = convolution down across 7

                    let lost (axis: Axis) =
                        (axis.Size + 2 * axis.Near - axis.Reach - 1) % axis.Stride

                    let back =
                        ConvTranspose
                            {
                                OutChannels = 3
                                Kernel = c.Kernel
                                Stride = c.Stride
                                Padding = extent _.Near down across
                                OutputPadding = extent lost down across
                                Dilation = c.Dilation
                                Groups = 1
                                Bias = false
                            }

                    let input = [ 3L; int64 down.Size; int64 across.Size ]

                    match shape (Conv c) [ input ] with
                    | None -> true
                    | Some small -> shape back [ small ] = Some input)

            forAll "two small kernels reach as far as one large one" (fun (down: Axis, across: Axis) ->
                let input = [ 3L; int64 (down.Size + 12); int64 (across.Size + 12) ]
                let a, b = down.Kernel, across.Kernel

                chain input [ conv a 1 0; conv b 1 0 ] = chain input [ conv (a + b - 1) 1 0 ])

            forAll "flatten keeps every value" (fun (down: Axis, across: Axis) ->
                match
                    chain [ 3L; int64 down.Size; int64 across.Size ] [ Conv(convolution down across 5); Flatten ]
                with
                | None -> true
                | Some flat -> flat = [ 5L * count down * count across ])

            forAll "upsampling and pooling by the same factor give the map back" (fun (down: Axis, across: Axis) ->
                let input = [ 3L; int64 down.Size; int64 across.Size ]
                let factor = down.Stride

                let halve =
                    AvgPool
                        {
                            Kernel = Extent.square factor
                            Stride = Extent.square factor
                            Padding = Extent.square 0
                            Ceil = false
                            CountPadding = true
                        }

                chain input [ Upsample(factor, Nearest); halve ] = Some input)

            forAll "pixel shuffle loses no value" (fun (down: Axis, across: Axis) ->
                let factor = down.Stride
                let input = [ int64 (6 * factor * factor); int64 down.Size; int64 across.Size ]

                chain input [ PixelShuffle factor; Flatten ] = chain input [ Flatten ])

            forAll "slices concatenated again are the whole" (fun (down: Axis, across: Axis) ->
                let channels = down.Size + 1
                let input = [ int64 channels; int64 down.Size; int64 across.Size ]
                let cut = 1 + across.Size % (channels - 1 |> max 1) |> min (channels - 1)
                let left = shape (Slice(0, cut)) [ input ]
                let right = shape (Slice(cut, channels)) [ input ]
                shape Concat [ left.Value; right.Value ] = Some input)

            forAll "permuting axes there and back gives the shape back" (fun (down: Axis, across: Axis) ->
                let input = [ 3L; int64 down.Size; int64 across.Size ]
                chain input [ Permute [ 2; 0; 1 ]; Permute [ 1; 2; 0 ] ] = Some input)

            testCase "a 1×1 map is never silently broadcast over a larger one"
            <| fun () ->
                for op in [ Add; Multiply false; Concat ] do
                    Expect.isTrue ((shape op [ [ 512L; 1L; 1L ]; [ 512L; 2L; 2L ] ]).IsNone) $"%A{op}"

            testCase "scaling by a 1×1 map is allowed where the spec asks for it"
            <| fun () ->
                let se = [ [ 64L; 1L; 1L ]; [ 64L; 7L; 9L ] ]
                Expect.equal (shape (Multiply true) se) (Some [ 64L; 7L; 9L ]) "the shape"
                Expect.isTrue ((shape (Multiply true) [ [ 32L; 1L; 1L ]; [ 64L; 7L; 9L ] ]).IsNone) "it is refused"

            cases "a reshape to sizes that are not positive is refused" [ -3L, -1024L; 0L, 5L ]
            <| fun (a: int64, b: int64) ->
                Expect.isTrue ((shape (Reshape [ a; b ]) [ [ 3L; 32L; 32L ] ]).IsNone) "it is refused"

            testCase "operations at the largest sizes are refused, not overflown"
            <| fun () ->
                let largest = int CnnSpec.Elaborate.Parameter.largest
                let channels = int CnnSpec.Elaborate.Parameter.mostChannels
                let wide = [ 1L; 1L <<< 20; 1L <<< 20 ]
                let extreme = Extent.square largest

                let ops =
                    [
                        PixelShuffle largest
                        Upsample(largest, Nearest)
                        Linear(channels, true)
                        Conv
                            {
                                OutChannels = channels
                                Kernel = extreme
                                Stride = extreme
                                Padding = Margins.symmetric extreme
                                Dilation = extreme
                                Groups = 1
                                Bias = true
                            }
                        MaxPool
                            { Kernel = extreme; Stride = extreme; Padding = extreme; Dilation = extreme; Ceil = true }
                    ]

                for op in ops do
                    for input in [ wide; [ 1L; 1L; 1L ]; [ 1L <<< 40 ] ] do
                        match Infer.output op [ input ] with
                        | Error _ -> ()
                        | Ok shape ->
                            Expect.isTrue (shape |> List.forall (fun size -> size > 0L)) $"%A{op} gives %A{shape}"
                            Expect.isTrue ((Shape.elements shape).IsSome) $"%A{op} gives %A{shape}"
        ]
