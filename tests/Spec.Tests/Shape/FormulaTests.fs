/// The formulas against window positions that are counted one by one.
module CnnSpec.Spec.Tests.Shape.FormulaTests

open CnnSpec.Shape
open CnnSpec.Spec.Tests.Shape.Windows
open CnnSpec.Spec.Tests.Testing
open Expecto

let private forAll name law =
    property 2000 [ typeof<Windows.Arbitrary> ] name law

[<Tests>]
let tests =
    testList
        "padding and stride formulas"
        [
            forAll "a layer's size is the number of window positions" (fun (axis: Axis) ->
                Formulas.windows axis.Size axis.Kernel axis.Stride (axis.Near + axis.Far) axis.Dilation = count axis)

            forAll
                "a pool with ceil counts the window that hangs over, but none that starts outside"
                (fun (axis: Axis) ->
                    Formulas.windowsRoundedUp axis.Size axis.Kernel axis.Stride axis.Near axis.Dilation =
                        int64 (startsRoundedUp axis).Length)

            forAll "rows that no window touches are counted, and padding is not" (fun (axis: Axis) ->
                Formulas.unseen axis.Size axis.Kernel axis.Stride (axis.Near + axis.Far) axis.Far axis.Dilation =
                    unseen axis)

            forAll "same padding makes the output the input divided by the stride, rounded up" (fun (axis: Axis) ->
                let padding =
                    Formulas.samePadding axis.Size axis.Kernel axis.Stride axis.Dilation |> int

                let padded = { axis with Near = padding / 2; Far = padding - padding / 2 }
                count padded = (int64 axis.Size + int64 axis.Stride - 1L) / int64 axis.Stride)

            forAll "same padding adds no row that is not needed" (fun (axis: Axis) ->
                let padding =
                    Formulas.samePadding axis.Size axis.Kernel axis.Stride axis.Dilation |> int

                let wanted = (axis.Size + axis.Stride - 1) / axis.Stride

                padding = 0 || count { axis with Near = 0; Far = padding - 1 } < int64 wanted)

            forAll
                "a convolution undoes a transposed convolution, whatever the output padding"
                (fun (axis: Axis, extra: uint16) ->
                    let extra = int extra % axis.Stride

                    let enlarged =
                        Formulas.transposed axis.Size axis.Kernel axis.Stride axis.Near extra axis.Dilation

                    enlarged < 1L
                    || Formulas.windows enlarged axis.Kernel axis.Stride (2 * axis.Near) axis.Dilation =
                        int64 axis.Size)

            forAll "a transposed convolution with the right output padding undoes a convolution" (fun (axis: Axis) ->
                let axis = { axis with Far = axis.Near }
                let windows = count axis

                let lost = (axis.Size + 2 * axis.Near - axis.Reach - 1) % axis.Stride

                windows = 0L
                || Formulas.transposed windows axis.Kernel axis.Stride axis.Near lost axis.Dilation = int64 axis.Size)

            forAll "the arithmetic that a message shows ends in the number that the compiler uses" (fun (axis: Axis) ->
                let padding = axis.Near + axis.Far

                let shown =
                    Formulas.explainWindows axis.Size axis.Kernel axis.Stride padding axis.Dilation

                let used = Formulas.windows axis.Size axis.Kernel axis.Stride padding axis.Dilation

                used = 0L || shown.EndsWith $"= {used}")

            /// Sizes that grow by upsampling reach 2⁴⁰, kernels, strides and dilations 2²⁰.
            forAll
                "nothing overflows at the largest sizes the catalogue accepts"
                (fun (size: uint32, k: bool, s: bool, d: bool) ->
                    let largest = int CnnSpec.Elaborate.Parameter.largest
                    let choose big = if big then largest else 1
                    let size = (int64 size <<< 8) + 1L
                    let kernel, stride, dilation = choose k, choose s, choose d

                    let room =
                        bigint size + bigint (2 * largest) - bigint dilation * bigint (kernel - 1) - 1I

                    let expected = if room < 0I then 0I else room / bigint stride + 1I

                    let enlarged =
                        (bigint size - 1I) * bigint stride + bigint dilation * bigint (kernel - 1) + 1I

                    let outputs = (bigint size + bigint stride - 1I) / bigint stride

                    let same =
                        max
                            0I
                            ((outputs - 1I) * bigint stride + bigint dilation * bigint (kernel - 1) + 1I - bigint size)

                    bigint (Formulas.windows size kernel stride (2 * largest) dilation) = expected
                    && bigint (Formulas.transposed size kernel stride 0 0 dilation) = enlarged
                    && bigint (Formulas.samePadding size kernel stride dilation) = same)
        ]
