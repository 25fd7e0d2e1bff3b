namespace CnnSpec.Shape

open CnnSpec.Operators

/// Why an operation does not fit its inputs.
type Mismatch = { Code: string; Message: string; Notes: string list; Help: string option }

module internal Mismatch =

    let mismatch code message notes help =
        Error { Code = code; Message = message; Notes = notes; Help = help }

    /// For what works on maps only.
    let needsMap op (shape: Shape) continuation =
        match shape with
        | [ c; h; w ] -> continuation c h w
        | [ features ] ->
            mismatch
                "E0304"
                $"{op} needs a map of channels × height × width, and gets {features} features"
                []
                (Some "move it before flatten, or bring back a map with reshape([C, H, W])")
        | other ->
            mismatch "E0304" $"{op} needs a map of channels × height × width, and gets {Shape.describe other}" [] None

    /// For what works on maps only and keeps their size.
    let keepsMap op shape =
        needsMap op shape (fun c h w -> Ok [ c; h; w ])
