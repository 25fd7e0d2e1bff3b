/// Window positions counted one by one, which is what the formulas must agree with.
module CnnSpec.Spec.Tests.Shape.Windows

open FsCheck
open FsCheck.FSharp

/// One dimension of a convolution or pool.
type Axis =
    {
        Size: int
        Kernel: int
        Stride: int
        Near: int
        Far: int
        Dilation: int
    }

    member this.Reach = this.Dilation * (this.Kernel - 1)

/// The first row of every window that lies within the input and its padding.
let starts (axis: Axis) =
    Seq.initInfinite (fun i -> i * axis.Stride - axis.Near)
    |> Seq.takeWhile (fun start -> start + axis.Reach <= axis.Size - 1 + axis.Far)
    |> Seq.toList

/// The same where a window may hang over the far edge by less than a stride, if it starts before that edge.
let startsRoundedUp (axis: Axis) =
    Seq.initInfinite (fun i -> i * axis.Stride - axis.Near)
    |> Seq.takeWhile (fun start ->
        start < axis.Size && start + axis.Reach <= axis.Size - 1 + axis.Near + axis.Stride - 1)
    |> Seq.toList

let count (axis: Axis) = int64 (starts axis).Length

/// Rows behind the last window.
let unseen (axis: Axis) =
    match List.tryLast (starts axis) with
    | None -> 0L
    | Some last -> [ 0 .. axis.Size - 1 ] |> List.filter (fun row -> row > last + axis.Reach) |> List.length |> int64

/// Height and width are drawn apart: a formula that swaps them goes unseen on square inputs.
type Arbitrary =
    static member Axis() =
        gen {
            let! size = Gen.choose (1, 24)
            let! kernel = Gen.choose (1, 7)
            let! stride = Gen.choose (1, 5)
            let! near = Gen.choose (0, 5)
            let! far = Gen.choose (0, 5)
            let! dilation = Gen.choose (1, 3)

            return
                {
                    Size = size
                    Kernel = kernel
                    Stride = stride
                    Near = near
                    Far = far
                    Dilation = dilation
                }
        }
        |> Arb.fromGen
