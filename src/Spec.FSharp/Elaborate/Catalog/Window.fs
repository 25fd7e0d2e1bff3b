/// What operators of several families take: a window that steps over a map, and the map's margins.
module internal CnnSpec.Elaborate.Window

open CnnSpec.Operators
open CnnSpec.Shape
open Parameter

let kernel = required "kernel" size "window size"

let evenPadding =
    optional "padding" (Size 0L) (Int 0L) "cells around the map, the same on opposite sides"

let dilation =
    optional "dilation" size (Int 1L) "distance between the taps of the window"

/// Explicit margins of a padding argument. For `"same"`, what makes the output `⌈size / stride⌉`; an odd cell goes to
/// the bottom and right, as in TensorFlow and as PyTorch's `padding='same'` does.
let margins (bound: Bound) (kernel: Extent) (stride: Extent) (dilation: Extent) (input: Shape) =
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
