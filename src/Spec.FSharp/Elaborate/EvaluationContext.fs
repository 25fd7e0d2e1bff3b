namespace CnnSpec.Elaborate

open CnnSpec.Text
open CnnSpec.Syntax

type FunctionDeclaration = { Name: Ident; Parameters: Parameter list; Body: Expr }

/// What expressions can see besides their own variables.
type EvaluationContext =
    {
        Functions: Map<string, FunctionDeclaration>
        Constants: Map<string, Value>
        /// Blocks, operators and recipe parts: names whose call is a value by itself.
        IsConstruction: string -> bool
        /// `channels`, `height`, `width` of the current tensor.
        Ambient: Span -> string -> Value option
        /// All names that could have been meant.
        Candidates: unit -> string seq
        Report: Diagnostic -> unit
        Budget: Budget
    }

    /// Reports an error, which has no value.
    member this.Refuse(code, span: Span, message) =
        this.Report(Diagnostic.error code span message)
        Unknown
