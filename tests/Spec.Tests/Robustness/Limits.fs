/// Compiling with a clock and a look at the memory: no spec may hang or exhaust the machine.
module CnnSpec.Spec.Tests.Robustness.Limits

open System
open System.Diagnostics
open CnnSpec
open CnnSpec.Text
open CnnSpec.Spec.Tests.Compiling
open Expecto

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

/// The result, and how long it took (seconds of processor time).
let timed (work: unit -> 'a) =
    let start = processorTime ()
    let result = work ()
    result, (processorTime () - start).TotalSeconds

let private compiled source =
    let compilation = Compile.file alone source
    soundSpans compilation
    Render.all Render.plain compilation.Diagnostics |> ignore
    compilation

/// The compilation with all that is said about it rendered, and how long it took (seconds of processor time).
let compileSource source = timed (fun () -> compiled source)

/// The same for any bytes, which may be no text.
let compileFileOf (path: string) (bytes: byte[]) : Compile.Compilation option * float =
    timed (fun () ->
        match SourceFile.ofBytes path bytes with
        | Ok source -> Some(compiled source)
        | Error diagnostic ->
            Render.diagnostic Render.plain diagnostic |> ignore
            None)

let compileBytes bytes = compileFileOf "spec.cnn" bytes

/// The spec is refused with this code, in time, and within memory.
let stopsIn (path: string) (code: string) (text: string) =
    let before = GC.GetTotalAllocatedBytes true
    let compilation, seconds = compileFileOf path (Text.Encoding.UTF8.GetBytes text)
    let allocated = GC.GetTotalAllocatedBytes true - before

    let said = compilation |> Option.map codes |> Option.defaultValue [ "E0104" ]
    Expect.isTrue (List.contains code said) $"{code} is not among what is said: %A{List.distinct said}"

    Expect.isLessThan seconds longest "seconds"
    Expect.isLessThan allocated most "bytes allocated"

let stops code text = stopsIn "spec.cnn" code text
