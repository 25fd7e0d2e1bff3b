namespace CnnSpec.Elaborate

open CnnSpec.Operators

/// An entry of the operator table.
type Operator =
    {
        Signature: Signature
        Family: string
        Summary: string
        /// Paper and section, where there is one.
        Reference: string
        /// A call that compiles on a `[16, 20, 28]` map (or, after flatten, on features).
        Example: string
        /// The operation for these arguments on an input of this shape.
        Build: Bound -> Shape -> Op
    }

[<RequireQualifiedAccess>]
module internal Operator =

    let create family name parameters summary reference example build : Operator =
        {
            Signature = { Name = name; Parameters = parameters }
            Family = family
            Summary = summary
            Reference = reference
            Example = example
            Build = build
        }
