/// How sizes follow from kernels, strides and padding: exact integer arithmetic, one dimension at a time.
/// Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.
module CnnSpec.Shape.Formulas

/// What a kernel covers when dilated: `d(k − 1) + 1`.
let dilatedKernel kernel dilation : int64 =
    int64 dilation * (int64 kernel - 1L) + 1L

/// How many positions a window has: `⌊(n + P − d(k−1) − 1) / s⌋ + 1`, where `P` is the padding of both sides together.
/// Zero where the window does not fit once. Section 2.4 of the guide, relationship 6.
let windows (size: int64) kernel stride padding dilation : int64 =
    let room = size + int64 padding - dilatedKernel kernel dilation
    if room < 0L then 0L else room / int64 stride + 1L

/// The same, rounded up: a last window may hang over the far edge, provided that it starts inside the input or its near
/// padding (PyTorch's rule for pooling with `ceil_mode`). `padding` is that of one side.
let windowsRoundedUp (size: int64) kernel stride padding dilation : int64 =
    let room = size + 2L * int64 padding - dilatedKernel kernel dilation
    // Hanging over by a whole stride is no window.
    let hanging = room + int64 stride - 1L

    if hanging < 0L then
        0L
    else
        let startInside = (size + int64 padding - 1L) / int64 stride + 1L
        min (hanging / int64 stride + 1L) startInside

/// The output of a transposed convolution: `(n − 1)s − 2p + d(k − 1) + output_padding + 1`.
let transposed (size: int64) kernel stride padding outputPadding dilation : int64 =
    (size - 1L) * int64 stride - 2L * int64 padding
    + dilatedKernel kernel dilation
    + int64 outputPadding

/// Padding of both sides together that makes the output `⌈n / s⌉` ("same"): `max(0, (⌈n/s⌉ − 1)s + d(k−1) + 1 − n)`.
let samePadding (size: int64) kernel stride dilation : int64 =
    let outputs = (size + int64 stride - 1L) / int64 stride
    max 0L ((outputs - 1L) * int64 stride + dilatedKernel kernel dilation - size)

/// How many rows or columns at the far edge no window ever sees: `(n + P − d(k−1) − 1) mod s`, without those that
/// are padding. Zero where the window does not fit.
let unseen (size: int64) kernel stride padding farPadding dilation : int64 =
    let room = size + int64 padding - dilatedKernel kernel dilation

    if room < 0L then
        0L
    else
        room % int64 stride - int64 farPadding |> max 0L |> min size

/// The formula of `windows` with its numbers in place, for diagnostics.
let explainWindows (size: int64) kernel stride padding dilation =
    let covered = dilatedKernel kernel dilation
    let padded = if padding = 0 then $"{size}" else $"{size} + {padding}"
    $"⌊({padded} − {covered}) / {stride}⌋ + 1 = {windows size kernel stride padding dilation}"
