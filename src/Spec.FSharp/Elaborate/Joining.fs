/// Combinators: the ends of their branches, joined by `concat`, `add` or `mul`.
module internal CnnSpec.Elaborate.Joining

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Syntax

let signature combinator : Signature =
    {
        Name = Combinator.name combinator
        Parameters =
            match combinator with
            | Product ->
                [ Parameter.optional "broadcast" Flag (Bool false) "let [C,1,1] scale the channels of [C,H,W]" ]
            | Concat
            | Sum -> []
    }

let private operation combinator (bound: Bound) =
    match combinator with
    | Concat -> Op.Concat
    | Sum -> Op.Add
    | Product -> Op.Multiply(bound.Flag "broadcast")

/// What messages call a branch: its label or tensor name, or `branch 2`.
let branchName scope index (branch: Statement) =
    match branch.Label, branch.Kind, branch.Outputs with
    | Some { Kind = StringLiteral [ Literal text ] }, _, _ -> text
    | _, Apply(name, None), _ when Map.containsKey name.Name scope.Tensors -> name.Name
    | _, From name, _ -> name.Name
    | _, _, [ name ] -> name.Name
    | _ -> $"branch {index + 1}"

/// Appends the operation that makes one tensor of the branches' ends, which are in order. `bound` are the combinator's
/// arguments, unless one is wrong.
let join
    (expansion: Expansion)
    (naming: Naming)
    scope
    (span: Span)
    combinator
    (bound: Bound option)
    (ends: (string * Tensor) list)
    =
    let branches =
        ends
        |> List.choose (fun (name, tensor) ->
            match tensor with
            | Known id -> Some({ Name = name; Node = expansion[id] }: Branches.Branch)
            | Poisoned -> None)

    let operator = Combinator.name combinator

    match bound with
    | _ when ends.IsEmpty ->
        expansion.Report(
            Diagnostic.error "E0213" (Span.firstLine span) $"{operator} has no branches"
            |> Diagnostic.withHelp "put the branches in braces, one a line: add { { conv(64, kernel=3) } identity }"
        )

        expansion.Poison()
    | Some bound when branches.Length = ends.Length ->
        let path = naming.Path(naming.Decorative operator)
        let nodes = branches |> List.map _.Node

        match expansion.Append(scope, path, operator, operation combinator bound, nodes, span) with
        | Ok node -> expansion.Current <- Known node.Id
        | Error mismatch ->
            if expansion.IsFirstMismatch span then
                let shapes, mismatch =
                    Branches.explain expansion.Builder combinator mismatch branches

                expansion.Complain(scope, span, mismatch, shapes)

            expansion.Poison()
    | _ -> expansion.Poison()
