/// THE table of diagnostic codes: what the compiler can say, explained. `cnnspec explain` and docs/errors are written
/// from it, and a test holds it to the codes in the sources.
[<RequireQualifiedAccess>]
module CnnSpec.Text.Codes.Table

open CnnSpec.Text

/// In the order of their numbers.
let all: Explanation list =
    List.concat [ Reading.all; Meaning.all; Shapes.all; Training.all; Warnings.all ]

let tryFind (code: string) =
    all |> List.tryFind (fun e -> e.Code.Equals(code, System.StringComparison.OrdinalIgnoreCase))

/// The code that was probably meant.
let nearest (code: string) =
    Suggest.nearest (code.ToUpperInvariant()) (all |> List.map _.Code)
