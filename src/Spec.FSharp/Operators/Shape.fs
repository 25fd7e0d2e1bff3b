namespace CnnSpec.Operators

/// A tensor's dimensions without the batch: `[C; H; W]` for a map, `[F]` for features.
type Shape = int64 list

[<RequireQualifiedAccess>]
module Shape =

    /// As diagnostics write it: `[64, 32, 32]`.
    let describe (shape: Shape) =
        "[" + System.String.Join(", ", shape) + "]"

    /// As `input` and `--input` write it: `3x32x32`.
    let compact (shape: Shape) = System.String.Join("x", shape)

    /// No tensor may have more elements than this (2⁴⁰): far beyond any machine, small enough that sums stay exact.
    let mostElements = 1L <<< 40

    /// The product of sizes, or nothing where it exceeds `mostElements`.
    let elements (shape: int64 seq) =
        (Some 1L, shape)
        ||> Seq.fold (fun product size ->
            product
            |> Option.bind (fun product ->
                if size = 0L then Some 0L
                elif size > mostElements / max 1L product then None
                else Some(product * size)))
