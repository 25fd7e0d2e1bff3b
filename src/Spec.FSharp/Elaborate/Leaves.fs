/// Statements without a body: `input`, `assert`, `from`, `split`, `init`.
module internal CnnSpec.Elaborate.Leaves

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Syntax

let private inputSizes (expansion: Expansion) scope dimensions : Shape option =
    let sizes =
        dimensions
        |> List.map (fun expr ->
            match expansion.Eval(scope, expr) with
            | Int size when size >= 1L && size <= Parameter.largest -> Some size
            | Unknown -> None
            | other ->
                expansion.Report(
                    Diagnostic.error
                        "E0206"
                        expr.Span
                        $"an input size must be a positive integer, and is {Value.describe other}"
                )

                None)

    if List.forall Option.isSome sizes then
        Some(List.map Option.get sizes)
    else
        None

/// `input 3 x 32 x 32`
let input (expansion: Expansion) scope (span: Span) dimensions =
    match expansion.Input with
    | Faulty -> ()
    | Declared(_, before) ->
        expansion.Report(
            Diagnostic.error "E0213" span "a network has one input"
            |> Diagnostic.withRelated [ { Span = before; Text = "the first one" } ]
        )
    | Unsaid ->
        // The spec's own sizes are judged even where others take their place.
        let declared = inputSizes expansion scope dimensions

        match expansion.Overrides.Input |> Option.orElse declared with
        | Some shape when shape.Length = 3 || shape.Length = 1 ->
            expansion.Input <- Declared(shape, span)
            expansion.AppendInput(scope, shape, span)
        | Some shape ->
            expansion.Report(
                Diagnostic.error
                    "E0213"
                    span
                    $"an input is channels x height x width, or a number of features; this has {shape.Length} sizes"
            )

            expansion.Input <- Faulty
        | None -> expansion.Input <- Faulty

/// `assert condition, message`
let check (expansion: Expansion) scope (span: Span) (condition: Expr) (message: Expr option) =
    match expansion.Test(scope, condition) with
    | Some true
    | None -> ()
    | Some false ->
        let text =
            match message with
            | Some expr -> Value.display (expansion.Eval(scope, expr))
            | None -> $"this does not hold: {Span.text condition.Span}"

        let side expr =
            Value.describe (expansion.Eval(scope, expr))

        let sides =
            match condition.Kind with
            | Binary((Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual) as operator, left, right) ->
                $"{side left} {BinaryOperator.spelling operator} {side right} is false"
            | _ -> ""

        expansion.ReportIn(scope, Diagnostic.error "E0212" (Span.firstLine span) text |> Diagnostic.withLabel sides)

/// `from name`
let from (expansion: Expansion) scope (name: Ident) =
    match Map.tryFind name.Name scope.Tensors with
    | Some tensor -> expansion.Current <- tensor
    | None ->
        let candidates = scope.Tensors |> Map.toSeq |> Seq.map fst
        Evaluate.unknownName expansion.Context name.Span "tensor" name.Name candidates
        expansion.Poison()

let splitSignature: Signature =
    {
        Name = "split"
        Parameters = [ Parameter.required "parts" Parameter.count "into how many equal parts" ]
    }

/// `split(2) as left, right`: each part under its name.
let split (expansion: Expansion) scope (statement: Statement) given : Scope =
    let bound = expansion.Bind(scope, splitSignature, statement.Span, given)
    let outputs = statement.Outputs

    let named (tensors: Tensor list) =
        { scope with
            Tensors =
                (scope.Tensors, outputs, tensors)
                |||> List.fold2 (fun map name tensor -> Map.add name.Name tensor map)
        }

    let poisoned () =
        outputs |> List.map (fun _ -> Poisoned) |> named

    match bound, expansion.Current with
    | Some bound, Known id ->
        let parts = bound.Int "parts"
        let source = expansion[id]

        if parts <> outputs.Length then
            expansion.Report(
                Diagnostic.error
                    "E0205"
                    statement.Span
                    $"split({parts}) gives {parts} tensors, and {outputs.Length} are named"
                |> Diagnostic.withHelp $"name each of the parts, or use split({outputs.Length})"
            )

            poisoned ()
        elif source.Shape.Head % int64 parts <> 0L then
            expansion.Complain(
                scope,
                statement.Span,
                {
                    Code = "E0305"
                    Message = $"{source.Shape.Head} channels cannot be split into {parts} equal parts"
                    Notes = []
                    Help = Some "slice(start, stop) takes any part"
                },
                ""
            )

            poisoned ()
        else
            let size = int source.Shape.Head / parts

            outputs
            |> List.mapi (fun index name ->
                let part = Slice(index * size, (index + 1) * size)

                match expansion.Append(scope, name.Name, splitSignature.Name, part, [ source ], statement.Span) with
                | Ok node -> Known node.Id
                | Error _ -> Poisoned)
            |> named
    | _ -> poisoned ()

/// `init { conv = he_normal }`
let initialise (expansion: Expansion) scope (rules: Setting list) =
    for rule in rules do
        let add initialiser =
            expansion.Initialisers.Add { Selector = rule.Key.Name; Initialiser = initialiser; Span = rule.Key.Span }

        match expansion.Eval(scope, rule.Value) with
        | Made made ->
            match Initialisers.tryFind made.Name with
            | Some entry ->
                let bound, problems = Signature.bind entry.Signature made.Span made.Arguments
                List.iter expansion.Report problems
                bound |> Option.iter (entry.Build >> add)
            | None -> Evaluate.unknownName expansion.Context rule.Value.Span "initialiser" made.Name Initialisers.names
        | Int value -> add (Initialiser.Constant(float value))
        | Float value -> add (Initialiser.Constant value)
        | Unknown -> ()
        | other ->
            expansion.Report(
                Diagnostic.error
                    "E0206"
                    rule.Value.Span
                    $"an initialiser is a number or a rule such as normal(0, 0.01), and this is {Value.kind other}"
            )

/// Whether a name means something built in, everywhere in a spec.
let isReserved name =
    (Catalog.tryFind name).IsSome
    || (Builtins.tryFind name).IsSome
    || List.contains name Ambient.names
    || name = splitSignature.Name
