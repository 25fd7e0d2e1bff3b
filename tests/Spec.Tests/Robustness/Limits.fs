/// Compiling with a clock and a look at the memory: no spec may hang or exhaust the machine.
module CnnSpec.Spec.Tests.Robustness.Limits

open System
open System.Diagnostics
open NUnit.Framework
open CnnSpec
open CnnSpec.Text
open CnnSpec.Spec.Tests.Compiling

/// One spec takes no longer (seconds of processor time, which a busy machine does not stretch).
let longest = 2.0

let private processorTime () =
    Process.GetCurrentProcess().TotalProcessorTime

/// … and allocates no more (bytes), garbage included.
let most = 1L <<< 30

/// Every span lies within its source, or rendering it would fail for the user.
let private soundSpans (compilation: Compile.Compilation) =
    for diagnostic in compilation.Diagnostics do
        for label in diagnostic.Primary :: diagnostic.Related do
            let span = label.Span

            if span.Start < 0 || span.End < span.Start || span.End > span.Source.Text.Length then
                failwith $"{diagnostic.Code} has the span {span.Start}–{span.End} of {span.Source.Text.Length}"

/// The compilation of any bytes, with all that is said about them rendered, and how long it took (seconds of
/// processor time).
let compileFileOf (path: string) (bytes: byte[]) : Compile.Compilation option * float =
    let start = processorTime ()

    let compilation =
        match SourceFile.ofBytes path bytes with
        | Ok source -> Some(Compile.file alone source)
        | Error diagnostic ->
            Render.diagnostic Render.plain diagnostic |> ignore
            None

    compilation
    |> Option.iter (fun compilation ->
        soundSpans compilation
        Render.all Render.plain compilation.Diagnostics |> ignore)

    compilation, (processorTime () - start).TotalSeconds

let compileBytes bytes = compileFileOf "spec.cnn" bytes

/// The spec is refused with this code, in time, and within memory.
let stops (code: string) (text: string) =
    let before = GC.GetTotalAllocatedBytes true
    let compilation, seconds = compileBytes (Text.Encoding.UTF8.GetBytes text)
    let allocated = GC.GetTotalAllocatedBytes true - before

    match compilation with
    | Some compilation -> Assert.That(codes compilation, Does.Contain code)
    | None -> Assert.That(code, Is.EqualTo "E0104")

    Assert.That(seconds, Is.LessThan longest)
    Assert.That(allocated, Is.LessThan most)
