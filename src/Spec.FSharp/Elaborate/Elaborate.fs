/// A network's statements, run: loops turned, conditions decided, blocks expanded, every layer appended to the graph
/// with its shape. Shapes are values of the language (`channels / 2`), so they are inferred here, layer by layer.
module CnnSpec.Elaborate.Elaborate

open CnnSpec.Text
open CnnSpec.Syntax

let private auxiliary: Signature =
    {
        Name = "aux"
        Parameters =
            [
                Parameter.optional "weight" Parameter.nonNegative (Float 0.3) "what the head's loss counts in the sum"
            ]
    }

/// Whether a statement may stand before the input. One that is broken may be the input.
let private needsNoInput kind =
    match kind with
    | Input _
    | Let _
    | Assert _
    | Initialise _
    | From _
    | Broken -> true
    | _ -> false

/// What the body of a loop sees in one of its iterations.
let private iteration scope span step variables =
    { scope with
        Variables = variables
        Frames = { Span = span; Step = step } :: scope.Frames
    }

/// With a loop's counter, where it has one.
let private counted (index: Ident option) (number: int64) variables =
    match index with
    | Some name -> Map.add name.Name (Int number) variables
    | None -> variables

type private Elaboration(expansion: Expansion) =

    let rec runBody (body: Body) scope naming =
        (scope, body.Statements) ||> List.fold (run naming) |> ignore

    /// Runs a statement; what it declares is seen by the statements after it.
    and run (naming: Naming) scope (statement: Statement) : Scope =
        expansion.Budget.Spend(statement.Span, 1)

        if not (needsNoInput statement.Kind) then
            expansion.NeedInput statement.Span

        let scope = runKind naming scope statement

        match statement.Kind, statement.Outputs with
        | _, [] -> scope
        // Its parts have their names already.
        | Apply(name, _), _ when name.Name = Leaves.splitSignature.Name -> scope
        | _, [ name ] -> { scope with Tensors = Map.add name.Name expansion.Current scope.Tensors }
        | _, _ :: second :: _ ->
            expansion.Report(
                Diagnostic.error "E0205" second.Span "only split gives several tensors"
                |> Diagnostic.withHelp "name the one output, or use split(2) as left, right"
            )

            scope

    and runKind naming scope statement : Scope =
        let inner () =
            expansion.Inner(naming, scope, statement)

        match statement.Kind with
        | Let(name, value) ->
            { scope with
                Variables = Map.add name.Name (expansion.Eval(scope, value)) scope.Variables
                Tensors = Map.remove name.Name scope.Tensors
            }
        | Apply(name, arguments) -> runApply naming scope statement name arguments
        | Input dimensions ->
            Leaves.input expansion scope statement.Span dimensions
            scope
        | Assert(condition, message) ->
            Leaves.check expansion scope statement.Span condition message
            scope
        | From name ->
            Leaves.from expansion scope name
            scope
        | Initialise(rules, _) ->
            Leaves.initialise expansion scope rules
            scope
        | Repeat(count, index, body) ->
            runRepeat (inner ()) scope statement.Span count index body
            scope
        | For(item, index, items, body) ->
            runFor (inner ()) scope statement.Span item index items body
            scope
        | If(branches, otherwise) ->
            runIf (inner ()) scope branches otherwise
            scope
        | Combine(combinator, arguments, body) ->
            runCombine (inner ()) scope statement.Span combinator arguments body
            scope
        | Group body ->
            runBody body scope (inner ())
            scope
        | Auxiliary(arguments, body) ->
            runAuxiliary naming scope statement arguments body
            scope
        | Broken ->
            // It may have been the input.
            if expansion.Input = Unsaid then
                expansion.Input <- Faulty

            expansion.Poison()
            scope

    /// A name alone or with arguments: a tensor to go on from, an operator or a block, by itself or held by a variable.
    and runApply naming scope statement name arguments : Scope =
        let given =
            arguments |> Option.fold (fun _ written -> expansion.Given(scope, written)) []

        match Map.tryFind name.Name scope.Tensors, Map.tryFind name.Name scope.Variables with
        | Some tensor, _ when arguments.IsNone ->
            expansion.Current <- tensor
            scope
        | _, Some(Made made) ->
            construct naming scope statement name made.Name (made.Arguments @ given)
            scope
        | _, Some Unknown ->
            expansion.Poison()
            scope
        | _, Some other ->
            expansion.Report(
                Diagnostic.error
                    "E0206"
                    name.Span
                    $"'{name.Name}' is {Value.kind other} ({Value.describe other}), not an operator or a block"
            )

            expansion.Poison()
            scope
        | _ when name.Name = Leaves.splitSignature.Name -> Leaves.split expansion scope statement given
        | _ ->
            construct naming scope statement name name.Name given
            scope

    /// The operator or the block called `name`, with evaluated arguments; the spec may have `written` a variable.
    and construct naming scope statement (written: Ident) name given =
        let span = statement.Span
        let named = expansion.Label(scope, statement)

        // An operator held by a parameter brings its arguments, however long, to every use.
        for argument: Given in given do
            expansion.Budget.Spend(span, argument.Value)

        match Catalog.tryFind name, Map.tryFind name expansion.Declarations.Blocks with
        | Some operator, _ ->
            let bound = expansion.Bind(scope, operator.Signature, span, given)
            let path = expansion.LayerPath(naming, scope, named, span)

            match bound, expansion.Current with
            | Some bound, Known id -> expansion.Step(scope, path, name, operator.Build bound expansion[id].Shape, span)
            | _ -> expansion.Poison()
        | None, Some block -> expand naming scope named block given span
        | None, None ->
            expansion.ComplainOfName(scope, written.Span, span, name)
            expansion.Poison()

    /// A call of a block: its body, run with a scope and a numbering of its own.
    and expand naming scope named block given span =
        expansion.Budget.Call(span, scope.Calls + 1, block.Name.Name)
        let path = expansion.LayerPath(naming, scope, named, span)

        let parameters =
            block.Parameters |> List.map (fun p -> p.Name.Name, p.Default.IsNone)

        match Signature.assign block.Name.Name parameters span given with
        | assigned, [] ->
            let inside =
                {
                    Variables = Evaluate.parameters expansion.Context assigned block.Parameters
                    Tensors = Map.empty
                    Frames = { Span = Span.firstLine span; Step = Expanding(block.Name.Name, path) } :: scope.Frames
                    Calls = scope.Calls + 1
                    TrainingOnly = scope.TrainingOnly
                }

            runBody block.Body inside (Naming path)
        | _, problems ->
            for problem in problems do
                expansion.ReportIn(scope, problem)

            expansion.Poison()

    and runRepeat naming scope span count index body =
        match expansion.Eval(scope, count) with
        | Int times when times >= 0L ->
            let line = Span.firstLine span
            let mutable number = 0L

            while number < times do
                expansion.Budget.Spend(count.Span, 1)
                let variables = counted index number scope.Variables
                runBody body (iteration scope line (Iteration(number + 1L, times, None)) variables) naming
                number <- number + 1L
        | Unknown -> expansion.Poison()
        | other ->
            expansion.Report(
                Diagnostic.error
                    "E0206"
                    count.Span
                    $"repeat needs an integer, 0 or more, and gets {Value.describe other}"
            )

            expansion.Poison()

    and runFor naming scope span item index items body =
        match expansion.Eval(scope, items) with
        | List values ->
            let count = int64 values.Length
            let line = Span.firstLine span

            values
            |> List.iteri (fun number value ->
                expansion.Budget.Spend(items.Span, 1)

                let variables =
                    scope.Variables |> Map.add item.Name value |> counted index (int64 number)

                let step = Iteration(int64 number + 1L, count, Some(item.Name, value))
                runBody body (iteration scope line step variables) naming)
        | Unknown -> expansion.Poison()
        | other ->
            let help =
                match other with
                | Int _ -> "range(n) counts from 0 to n − 1"
                | Map _ -> "keys(map) and values(map) give lists"
                | _ -> "write a list, as in [1, 2, 3]"

            expansion.Report(
                Diagnostic.error "E0206" items.Span $"for needs a list, and gets {Value.kind other}"
                |> Diagnostic.withHelp help
            )

            expansion.Poison()

    and runIf naming scope branches otherwise =
        match branches with
        | [] -> otherwise |> Option.iter (fun body -> runBody body scope naming)
        | (condition, body) :: rest ->
            match expansion.Test(scope, condition) with
            | Some true -> runBody body scope naming
            | Some false -> runIf naming scope rest otherwise
            | None -> expansion.Poison()

    /// Each statement of the body is a branch, from the current tensor; `let` and `assert` stand between them.
    and runCombine naming scope span combinator arguments body =
        let given = expansion.Given(scope, arguments)
        let bound = expansion.Bind(scope, Joining.signature combinator, span, given)
        let start = expansion.Current
        let mutable scope = scope
        let ends = ResizeArray<string * Tensor>()

        for branch in body.Statements do
            match branch.Kind with
            | Let _
            | Assert _ -> scope <- run naming scope branch
            | _ ->
                expansion.Current <- start
                let name = Joining.branchName scope ends.Count branch
                let next = run naming scope branch
                ends.Add((name, expansion.Current))
                scope <- { scope with Tensors = next.Tensors }

        Joining.join expansion naming scope span combinator bound (List.ofSeq ends)

    /// A head that trains beside the network, which goes on from where the head began.
    and runAuxiliary naming scope statement arguments body =
        let given = expansion.Given(scope, arguments)
        let bound = expansion.Bind(scope, auxiliary, statement.Span, given)
        let start = expansion.Current
        let inner = expansion.Inner(naming, scope, statement)
        runBody body { scope with TrainingOnly = true } inner

        match expansion.Current, bound with
        | Known id, Some bound -> expansion.Auxiliaries.Add { Node = id; Weight = bound.Float "weight" }
        | _ -> ()

        expansion.Current <- start

    member _.Run(network: BlockDeclaration, arguments: Evaluate.Variables) =
        let scope =
            {
                Variables = arguments
                Tensors = Map.empty
                Frames = []
                Calls = 0
                TrainingOnly = false
            }

        runBody network.Body scope (Naming "")

/// The values of the network's parameters: those from outside take the place of its defaults.
let private arguments (expansion: Expansion) (network: BlockDeclaration) : Evaluate.Variables =
    let parameters =
        network.Parameters
        |> List.map (fun parameter ->
            let outside = Map.tryFind parameter.Name.Name expansion.Overrides.Arguments
            { parameter with Default = outside |> Option.orElse parameter.Default })

    for { Name = name; Default = value } in parameters do
        if value.IsNone then
            expansion.Report(
                Diagnostic.error "E0204" name.Span $"the parameter '{name.Name}' has no value"
                |> Diagnostic.withHelp $"give it a default, or pass --set {name.Name}=VALUE"
            )

    Evaluate.parameters expansion.Context Map.empty parameters

/// The values of a network's parameters, and its graph unless something in it does not fit; whatever is wrong is reported.
let network (context: ElaborationContext) (declaration: BlockDeclaration) : Evaluate.Variables * Graph option =
    let expansion = Expansion context
    let arguments = arguments expansion declaration
    let name = declaration.Name
    Elaboration(expansion).Run(declaration, arguments)
    expansion.NeedInput name.Span

    match expansion.Input, expansion.Current with
    | Declared(shape, _), Known output ->
        arguments,
        Some
            {
                Name = name.Name
                Nodes = List.ofSeq expansion.Builder.Nodes
                Input = shape
                Output = output
                Auxiliaries = List.ofSeq expansion.Auxiliaries
                Initialisers = List.ofSeq expansion.Initialisers
                Arguments = declaration.Parameters |> List.map (fun p -> p.Name.Name, arguments[p.Name.Name])
                Span = name.Span
            }
    | _ -> arguments, None
