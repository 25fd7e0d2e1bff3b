/// A network's statements, run: loops turned, conditions decided, blocks expanded, every layer appended to the graph
/// with its shape. Shapes are values of the language (`channels / 2`), so they are inferred here, layer by layer.
module CnnSpec.Elaborate.Elaborate

open System
open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Shape
open CnnSpec.Syntax

/// The tensor that the next statement works on.
type private Tensor =
    | Known of int
    /// Something went wrong on the way here and has been reported; what depends on it stays silent.
    | Poisoned

/// What a statement can see. It ends with its body.
type private Scope =
    {
        Variables: Evaluate.Variables
        Tensors: Map<string, Tensor>
        Frames: Frame list
        Calls: int
        TrainingOnly: bool
    }

/// Settings from outside: `--set name=value` and `--input CxHxW`.
type Overrides = { Arguments: Map<string, Expr>; Input: Shape option }

let private longestLabel = 100

let private split: Signature =
    {
        Name = "split"
        Parameters = [ Parameter.required "parts" Parameter.count "into how many equal parts" ]
    }

let private auxiliary: Signature =
    {
        Name = "aux"
        Parameters =
            [
                Parameter.optional "weight" Parameter.nonNegative (Float 0.3) "what the head's loss counts in the sum"
            ]
    }

let private combinator combinator : Signature =
    {
        Name = Combinator.name combinator
        Parameters =
            match combinator with
            | Product ->
                [ Parameter.optional "broadcast" Flag (Bool false) "let [C,1,1] scale the channels of [C,H,W]" ]
            | Concat
            | Sum -> []
    }

type private Elaboration
    (
        declarations: Declarations,
        constants: Map<string, Value>,
        overrides: Overrides,
        budget: Budget,
        report: Diagnostic -> unit
    ) =
    /// A complaint costs as much as many steps: its words are sought among all names, in every turn of a loop anew.
    let report (diagnostic: Diagnostic) =
        budget.Spend(diagnostic.Primary.Span, Budget.Complaint)
        report diagnostic

    let builder = Builder budget
    let auxiliaries = ResizeArray<AuxiliaryHead>()
    let initialisers = ResizeArray<InitialiserRule>()
    let toldOfBranches = System.Collections.Generic.HashSet<Span>()
    let mutable current = Poisoned
    let mutable input: (Shape * Span) option = None

    let isBlock name =
        Map.containsKey name declarations.Blocks

    let ambient (span: Span) name =
        let dimension index =
            match current with
            | Poisoned -> Some Unknown
            | Known id ->
                match List.tryItem index builder[id].Shape with
                | Some size -> Some(Int size)
                | None ->
                    report (
                        Diagnostic.error
                            "E0304"
                            span
                            $"'{name}' is asked of a tensor without one: {Shape.describe builder[id].Shape}"
                    )

                    Some Unknown

        match name with
        | "channels" -> dimension 0
        | "height" -> dimension 1
        | "width" -> dimension 2
        | "params" ->
            match current with
            | Poisoned -> Some Unknown
            | Known _ -> Some(Int(builder.Nodes |> Seq.sumBy (fun node -> Cost.parameters node.Weights)))
        | _ -> None

    let context: Evaluate.Context =
        {
            Functions = declarations.Functions
            Constants = constants
            IsConstruction =
                fun name -> isBlock name || (Catalog.tryFind name).IsSome || (Initialisers.tryFind name).IsSome
            Ambient = ambient
            Candidates =
                fun () ->
                    Seq.concat
                        [
                            declarations.Blocks |> Map.toSeq |> Seq.map fst
                            constants |> Map.toSeq |> Seq.map fst
                            Seq.ofList Catalog.names
                            Seq.ofList Initialisers.names
                        ]
            Report = report
            Budget = budget
        }

    let eval scope expr =
        Evaluate.value context scope.Variables expr

    /// Where a complaint's operands came from: the calls and loops that led here, innermost first.
    let provenance (frames: Frame list) (diagnostic: Diagnostic) =
        let shown = frames |> List.truncate 4
        diagnostic |> Diagnostic.withRelated (shown |> List.map (fun f -> { Span = f.Span; Text = f.Text }))

    let firstLine (span: Span) =
        let text = span.Source.Text

        match text.IndexOfAny([| '{'; '\n' |], span.Start, span.End - span.Start) with
        | -1 -> span
        | stop ->
            let length = max 1 (stop - span.Start)
            { span with End = span.Start + text.Substring(span.Start, length).TrimEnd().Length }

    let complain scope (span: Span) (mismatch: Infer.Mismatch) label =
        let diagnostic =
            Diagnostic.error mismatch.Code (firstLine span) mismatch.Message
            |> Diagnostic.withLabel label
            |> provenance scope.Frames

        let diagnostic =
            (diagnostic, mismatch.Notes) ||> List.fold (fun d note -> Diagnostic.withNote note d)

        report (mismatch.Help |> Option.fold (fun d help -> Diagnostic.withHelp help d) diagnostic)

    /// The label's text; nothing where it is missing or wrong.
    let label scope (statement: Statement) =
        statement.Label
        |> Option.bind (fun expr ->
            match eval scope expr with
            | Text name when
                name <> ""
                && name.Length <= longestLabel
                && name |> Seq.forall (fun c -> Char.IsLetterOrDigit c || c = '_' || c = '-')
                ->
                Some(name, expr.Span)
            | Unknown -> None
            | other ->
                report (
                    Diagnostic.error
                        "E0209"
                        expr.Span
                        $"a label is up to {longestLabel} letters, digits, '_' and '-', and this is {Value.describe other}"
                )

                None)

    let takeName (naming: Naming) scope (name: string, span: Span) =
        match naming.Take(name, span) with
        | None -> ()
        | Some before ->
            let diagnostic =
                Diagnostic.error "E0209" span $"two layers are called '{naming.Path name}'"

            report (
                (if before = span then
                     Diagnostic.withLabel "an earlier turn of the loop took this name" diagnostic
                 else
                     Diagnostic.withRelated [ { Span = before; Text = "the first one" } ] diagnostic)
                |> provenance scope.Frames
                |> Diagnostic.withHelp
                    "compute the label, as in \"conv{i}\": …, or put the loop's body into a block, whose calls are numbered"
            )

    /// The name of a layer: its label, or the next number.
    let layerPath (naming: Naming) scope named span =
        let name, span = named |> Option.defaultWith (fun () -> naming.Number(), span)
        takeName naming scope (name, span)
        naming.Path name

    /// The scope that a labelled statement opens for the layers in it.
    let inner (naming: Naming) scope named =
        match named with
        | Some(name, span) ->
            takeName naming scope (name, span)
            Naming(naming.Path name)
        | None -> naming

    let append scope path operator op (inputs: Node list) span =
        let shapes = inputs |> List.map _.Shape

        Infer.output op shapes
        |> Result.map (fun shape ->
            builder.Append(fun id ->
                {
                    Id = id
                    Path = path
                    Operator = operator
                    Op = op
                    Inputs = inputs |> List.map _.Id
                    Shape = shape
                    Weights = Weights.ofOp op shapes
                    Span = span
                    Frames = scope.Frames
                    TrainingOnly = scope.TrainingOnly
                }))

    /// Appends an operation on the tensor in hand, which it replaces.
    let step scope path operator op span =
        match current with
        | Poisoned -> ()
        | Known id ->
            match append scope path operator op [ builder[id] ] span with
            | Ok node -> current <- Known node.Id
            | Error mismatch ->
                let source = builder[id]

                let from =
                    if source.Op = Op.Input then
                        "the input"
                    else
                        $"{source.Operator} at {Span.describe source.Span}"

                complain scope span mismatch $"gets {Shape.describe source.Shape} from {from}"
                current <- Poisoned

    let needInput (span: Span) =
        if input.IsNone then
            report (
                Diagnostic.error "E0213" (firstLine span) "a network begins with its input"
                |> Diagnostic.withHelp "put a line such as 'input 3 x 32 x 32' first"
            )

            input <- Some([], span)

    let rec runBody (body: Body) scope naming =
        (scope, body.Statements) ||> List.fold (fun scope statement -> run naming scope statement) |> ignore

    /// Runs a statement; what it declares is seen by the statements after it.
    and run (naming: Naming) scope (statement: Statement) : Scope =
        budget.Spend(statement.Span, 1)

        match statement.Kind with
        | Input _
        | Let _
        | Assert _
        | Initialise _
        | From _
        | Broken -> ()
        | _ -> needInput statement.Span

        let scope =
            match statement.Kind with
            | Input dimensions ->
                runInput scope statement dimensions
                scope
            | Let(name, value) ->
                { scope with
                    Variables = Map.add name.Name (eval scope value) scope.Variables
                    Tensors = Map.remove name.Name scope.Tensors
                }
            | Assert(condition, message) ->
                runAssert scope statement condition message
                scope
            | Apply(name, arguments) -> runApply naming scope statement name arguments
            | Repeat(count, index, body) ->
                runRepeat (inner naming scope (label scope statement)) scope statement count index body
                scope
            | For(item, index, items, body) ->
                runFor (inner naming scope (label scope statement)) scope statement item index items body
                scope
            | If(branches, otherwise) ->
                runIf (inner naming scope (label scope statement)) scope branches otherwise
                scope
            | Combine(kind, arguments, body) ->
                runCombine (inner naming scope (label scope statement)) scope statement kind arguments body
                scope
            | Group body ->
                runBody body scope (inner naming scope (label scope statement))
                scope
            | Auxiliary(arguments, body) ->
                runAuxiliary naming scope statement arguments body
                scope
            | From name ->
                runFrom scope name
                scope
            | Initialise(rules, _) ->
                runInitialise scope rules
                scope
            | Broken ->
                // It may have been the input.
                input <- input |> Option.orElse (Some([], statement.Span))
                current <- Poisoned
                scope

        match statement.Kind, statement.Outputs with
        | _, [] -> scope
        | Apply({ Name = "split" }, _), _ -> scope
        | _, [ name ] -> { scope with Tensors = Map.add name.Name current scope.Tensors }
        | _, _ :: second :: _ ->
            report (
                Diagnostic.error "E0205" second.Span "only split gives several tensors"
                |> Diagnostic.withHelp "name the one output, or use split(2) as left, right"
            )

            scope

    and runInput scope statement dimensions =
        match input with
        | Some([], _) -> ()
        | Some(_, before) ->
            report (
                Diagnostic.error "E0213" statement.Span "a network has one input"
                |> Diagnostic.withRelated [ { Span = before; Text = "the first one" } ]
            )
        | None ->
            let sizes =
                dimensions
                |> List.map (fun expr ->
                    match eval scope expr with
                    | Int size when size >= 1L && size <= Parameter.largest -> Some size
                    | Unknown -> None
                    | other ->
                        report (
                            Diagnostic.error
                                "E0206"
                                expr.Span
                                $"an input size must be a positive integer, and is {Value.describe other}"
                        )

                        None)

            let declared =
                if List.forall Option.isSome sizes then
                    Some(List.map Option.get sizes)
                else
                    None

            let shape = overrides.Input |> Option.orElse declared

            match shape with
            | Some shape when shape.Length = 3 || shape.Length = 1 ->
                input <- Some(shape, statement.Span)

                match append scope "input" "input" Op.Input [] statement.Span with
                | Ok node ->
                    // `Infer` gives an input no shape of its own.
                    builder.Nodes[node.Id] <- { node with Shape = shape }
                    current <- Known node.Id
                | Error _ -> current <- Poisoned
            | Some shape ->
                report (
                    Diagnostic.error
                        "E0213"
                        statement.Span
                        $"an input is channels x height x width, or a number of features; this has {shape.Length} sizes"
                )

                input <- Some([], statement.Span)
            | None -> input <- Some([], statement.Span)

    and runAssert scope statement condition message =
        match Evaluate.test context scope.Variables condition with
        | Some true
        | None -> ()
        | Some false ->
            let text =
                match message with
                | Some expr -> Value.display (eval scope expr)
                | None -> $"this does not hold: {Span.text condition.Span}"

            let sides =
                match condition.Kind with
                | Binary((Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual) as operator, left, right) ->
                    let spelling = BinaryOperator.spelling operator
                    $"{Value.describe (eval scope left)} {spelling} {Value.describe (eval scope right)} is false"
                | _ -> ""

            report (
                Diagnostic.error "E0212" (firstLine statement.Span) text
                |> Diagnostic.withLabel sides
                |> provenance scope.Frames
            )

    and runFrom scope name =
        match Map.tryFind name.Name scope.Tensors with
        | Some tensor -> current <- tensor
        | None ->
            Evaluate.unknownName context name.Span "tensor" name.Name (scope.Tensors |> Map.toSeq |> Seq.map fst)
            current <- Poisoned

    and runApply naming scope statement name arguments : Scope =
        let given =
            arguments |> Option.map (Evaluate.arguments context scope.Variables) |> Option.defaultValue []

        let span = statement.Span

        match Map.tryFind name.Name scope.Tensors, Map.tryFind name.Name scope.Variables with
        | Some tensor, _ when arguments.IsNone ->
            current <- tensor
            scope
        | _, Some(Made made) ->
            construct naming scope statement made.Name (made.Arguments @ given) span
            scope
        | _, Some Unknown ->
            current <- Poisoned
            scope
        | _, Some other ->
            report (
                Diagnostic.error
                    "E0206"
                    name.Span
                    $"'{name.Name}' is {Value.kind other} ({Value.describe other}), not an operator or a block"
            )

            current <- Poisoned
            scope
        | _ when name.Name = split.Name -> runSplit scope statement given
        | _ ->
            construct naming scope statement name.Name given span
            scope

    /// An operator or a block by name, with evaluated arguments.
    and construct naming scope statement name given span =
        let named = label scope statement

        // An operator held by a parameter brings its arguments, however long, to every use.
        for argument: Given in given do
            budget.Spend(span, argument.Value)

        match Catalog.tryFind name, Map.tryFind name declarations.Blocks with
        | Some operator, _ ->
            let bound, problems = Signature.bind operator.Signature span given
            List.iter (provenance scope.Frames >> report) problems
            let path = layerPath naming scope named span

            match bound, current with
            | Some bound, Known id -> step scope path name (operator.Build bound builder[id].Shape) span
            | _ -> current <- Poisoned
        | None, Some block -> expand naming scope named block given span
        | None, None when (Builtins.tryFind name).IsSome || Map.containsKey name declarations.Functions ->
            report (
                Diagnostic.error "E0206" span $"'{name}' is a function, not an operator or a block"
                |> Diagnostic.withHelp $"functions give values, as in let x = {name}(…)"
            )

            current <- Poisoned
        | None, None ->
            let candidates =
                Seq.concat
                    [
                        Seq.ofList Catalog.names
                        declarations.Blocks |> Map.toSeq |> Seq.map fst
                        scope.Tensors |> Map.toSeq |> Seq.map fst
                        scope.Variables |> Map.toSeq |> Seq.map fst
                        [ split.Name ]
                    ]

            let span =
                match statement.Kind with
                | Apply(written, _) -> written.Span
                | _ -> span

            Evaluate.unknownName context span "operator, block or tensor" name candidates
            current <- Poisoned

    and expand (naming: Naming) scope named (block: BlockDeclaration) given span =
        budget.Call(span, scope.Calls + 1, block.Name.Name)
        let path = layerPath naming scope named span

        let parameters =
            block.Parameters |> List.map (fun p -> p.Name.Name, p.Default.IsNone)

        let assigned, problems = Signature.assign block.Name.Name parameters span given
        List.iter (provenance scope.Frames >> report) problems

        if problems.IsEmpty then
            let variables =
                (Map.empty, block.Parameters)
                ||> List.fold (fun variables parameter ->
                    let value =
                        match Map.tryFind parameter.Name.Name assigned, parameter.Default with
                        | Some argument, _ -> argument.Value
                        | None, Some expr -> Evaluate.value context variables expr
                        | None, None -> Unknown

                    Map.add parameter.Name.Name value variables)

            let scope =
                {
                    Variables = variables
                    Tensors = Map.empty
                    Frames = { Span = firstLine span; Step = Expanding(block.Name.Name, path) } :: scope.Frames
                    Calls = scope.Calls + 1
                    TrainingOnly = scope.TrainingOnly
                }

            runBody block.Body scope (Naming path)
        else
            current <- Poisoned

    and runSplit scope statement given : Scope =
        let bound, problems = Signature.bind split statement.Span given
        List.iter (provenance scope.Frames >> report) problems
        let outputs = statement.Outputs

        let poisoned () =
            { scope with
                Tensors = (scope.Tensors, outputs) ||> List.fold (fun map name -> Map.add name.Name Poisoned map)
            }

        match bound, current with
        | Some bound, Known id ->
            let parts = bound.Int "parts"
            let source = builder[id]

            if parts <> outputs.Length then
                report (
                    Diagnostic.error
                        "E0205"
                        statement.Span
                        $"split({parts}) gives {parts} tensors, and {outputs.Length} are named"
                    |> Diagnostic.withHelp $"name each of the parts, or use split({outputs.Length})"
                )

                poisoned ()
            elif source.Shape.Head % int64 parts <> 0L then
                complain
                    scope
                    statement.Span
                    {
                        Code = "E0305"
                        Message = $"{source.Shape.Head} channels cannot be split into {parts} equal parts"
                        Notes = []
                        Help = Some "slice(start, stop) takes any part"
                    }
                    ""

                poisoned ()
            else
                let size = int source.Shape.Head / parts

                let tensors =
                    outputs
                    |> List.mapi (fun index name ->
                        match
                            append
                                scope
                                $"{name.Name}"
                                "split"
                                (Slice(index * size, (index + 1) * size))
                                [ source ]
                                statement.Span
                        with
                        | Ok node -> name.Name, Known node.Id
                        | Error _ -> name.Name, Poisoned)

                { scope with
                    Tensors = (scope.Tensors, tensors) ||> List.fold (fun map (name, tensor) -> Map.add name tensor map)
                }
        | _ -> poisoned ()

    and turn scope span step variables =
        { scope with
            Variables = variables
            Frames = { Span = span; Step = step } :: scope.Frames
        }

    and runRepeat naming scope statement count index body =
        match eval scope count with
        | Int turns when turns >= 0L ->
            let span = firstLine statement.Span
            let mutable number = 0L

            while number < turns do
                budget.Spend(count.Span, 1)

                let variables =
                    match index with
                    | Some name -> Map.add name.Name (Int number) scope.Variables
                    | None -> scope.Variables

                runBody body (turn scope span (Turn(number + 1L, turns, None)) variables) naming
                number <- number + 1L
        | Unknown -> current <- Poisoned
        | other ->
            report (
                Diagnostic.error
                    "E0206"
                    count.Span
                    $"repeat needs an integer, 0 or more, and gets {Value.describe other}"
            )

            current <- Poisoned

    and runFor naming scope statement item index items body =
        match eval scope items with
        | List values ->
            let turns = int64 values.Length
            let span = firstLine statement.Span

            values
            |> List.iteri (fun number value ->
                budget.Spend(items.Span, 1)
                let variables = Map.add item.Name value scope.Variables

                let variables =
                    match index with
                    | Some name -> Map.add name.Name (Int(int64 number)) variables
                    | None -> variables

                let step = Turn(int64 number + 1L, turns, Some(item.Name, value))
                runBody body (turn scope span step variables) naming)
        | Unknown -> current <- Poisoned
        | other ->
            let help =
                match other with
                | Int _ -> "range(n) counts from 0 to n − 1"
                | Map _ -> "keys(map) and values(map) give lists"
                | _ -> "write a list, as in [1, 2, 3]"

            report (
                Diagnostic.error "E0206" items.Span $"for needs a list, and gets {Value.kind other}"
                |> Diagnostic.withHelp help
            )

            current <- Poisoned

    and runIf naming scope branches otherwise =
        match branches with
        | [] -> otherwise |> Option.iter (fun body -> runBody body scope naming)
        | (condition, body) :: rest ->
            match Evaluate.test context scope.Variables condition with
            | Some true -> runBody body scope naming
            | Some false -> runIf naming scope rest otherwise
            | None -> current <- Poisoned

    and runCombine naming scope statement kind arguments body =
        let signature = combinator kind

        let bound, problems =
            Signature.bind signature statement.Span (Evaluate.arguments context scope.Variables arguments)

        List.iter (provenance scope.Frames >> report) problems
        let start = current

        let branchName index (branch: Statement) =
            match branch.Label, branch.Kind, branch.Outputs with
            | Some { Kind = StringLiteral [ Literal text ] }, _, _ -> text
            | _, Apply(name, None), _ when Map.containsKey name.Name scope.Tensors -> name.Name
            | _, From name, _ -> name.Name
            | _, _, [ name ] -> name.Name
            | _ -> $"branch {index + 1}"

        let mutable scope = scope
        let branches = ResizeArray<string * Tensor>()

        for branch in body.Statements do
            match branch.Kind with
            | Let _
            | Assert _ -> scope <- run naming scope branch
            | _ ->
                current <- start
                let name = branchName branches.Count branch
                let next = run naming scope branch
                branches.Add((name, current))
                scope <- { scope with Tensors = next.Tensors }

        let op =
            match kind with
            | Concat -> Op.Concat
            | Sum -> Op.Add
            | Product -> Op.Multiply(bound |> Option.exists (fun b -> b.Flag "broadcast"))

        let ends =
            branches
            |> Seq.choose (fun (name, tensor) ->
                match tensor with
                | Known id -> Some({ Name = name; Node = builder[id] }: Branches.Branch)
                | Poisoned -> None)
            |> Seq.toList

        if branches.Count = 0 then
            report (
                Diagnostic.error "E0213" (firstLine statement.Span) $"{signature.Name} has no branches"
                |> Diagnostic.withHelp "put the branches in braces, one a line: add { { conv(64, kernel=3) } identity }"
            )

            current <- Poisoned
        elif bound.IsNone || ends.Length < branches.Count then
            current <- Poisoned
        else
            let path = naming.Path(naming.Decorative signature.Name)

            match append scope path signature.Name op (ends |> List.map _.Node) statement.Span with
            | Ok node -> current <- Known node.Id
            | Error mismatch ->
                complainOfBranches scope statement mismatch ends
                current <- Poisoned

    /// The story of the branches is long to find, and a loop would have it found in every turn.
    and complainOfBranches scope statement mismatch branches =
        if toldOfBranches.Add statement.Span then
            tellOfBranches scope statement mismatch branches

    and tellOfBranches scope statement mismatch branches =
        let fork = Branches.fork builder branches

        let shapes =
            branches |> List.map (fun b -> $"{b.Name} is {Shape.describe b.Node.Shape}") |> String.concat ", "

        let story =
            (branches |> List.map (Branches.story builder fork) |> String.concat "; ") + "."

        let help =
            match mismatch.Help, statement.Kind with
            | Some help, _ -> Some help
            | None, Combine(Product, _, _) when
                branches |> List.exists (fun b -> List.tail b.Node.Shape |> List.forall ((=) 1L))
                ->
                Some "to scale channels by a [C, 1, 1] map, say so: mul(broadcast=true)"
            | None, Combine(Concat, _, _) ->
                Branches.missingPadding builder fork branches
                |> Option.orElse (Some "give all branches the same strides, and padding that keeps their sizes equal")
            | None, _ -> Branches.remedy builder fork branches

        complain scope statement.Span { mismatch with Notes = [ story ]; Help = help } shapes

    and runAuxiliary naming scope statement arguments body =
        let bound, problems =
            Signature.bind auxiliary statement.Span (Evaluate.arguments context scope.Variables arguments)

        List.iter (provenance scope.Frames >> report) problems
        let start = current
        runBody body { scope with TrainingOnly = true } (inner naming scope (label scope statement))

        match current, bound with
        | Known id, Some bound -> auxiliaries.Add { Node = id; Weight = bound.Float "weight" }
        | _ -> ()

        current <- start

    and runInitialise scope rules =
        for rule in rules do
            match eval scope rule.Value with
            | Made made ->
                match Initialisers.tryFind made.Name with
                | Some entry ->
                    let bound, problems = Signature.bind entry.Signature made.Span made.Arguments
                    List.iter report problems

                    bound
                    |> Option.iter (fun bound ->
                        initialisers.Add
                            { Selector = rule.Key.Name; Initialiser = entry.Build bound; Span = rule.Key.Span })
                | None -> Evaluate.unknownName context rule.Value.Span "initialiser" made.Name Initialisers.names
            | (Int _ | Float _) as value ->
                let value =
                    match value with
                    | Int i -> float i
                    | Float f -> f
                    | _ -> 0.0

                initialisers.Add
                    {
                        Selector = rule.Key.Name
                        Initialiser = Initialiser.Constant value
                        Span = rule.Key.Span
                    }
            | Unknown -> ()
            | other ->
                report (
                    Diagnostic.error
                        "E0206"
                        rule.Value.Span
                        $"an initialiser is a number or a rule such as normal(0, 0.01), and this is {Value.kind other}"
                )

    /// The values of the network's parameters.
    member private _.Arguments(network: BlockDeclaration) : Evaluate.Variables =
        (Map.empty, network.Parameters)
        ||> List.fold (fun variables parameter ->
            let name = parameter.Name.Name

            let value =
                match Map.tryFind name overrides.Arguments, parameter.Default with
                | Some expr, _
                | None, Some expr -> Evaluate.value context variables expr
                | None, None ->
                    report (
                        Diagnostic.error "E0204" parameter.Name.Span $"the parameter '{name}' has no value"
                        |> Diagnostic.withHelp $"give it a default, or pass --set {name}=VALUE"
                    )

                    Unknown

            Map.add name value variables)

    member this.Run(network: BlockDeclaration) : Evaluate.Variables * Graph option =
        let arguments = this.Arguments network

        let scope =
            {
                Variables = arguments
                Tensors = Map.empty
                Frames = []
                Calls = 0
                TrainingOnly = false
            }

        runBody network.Body scope (Naming "")

        match input, current with
        | None, _ ->
            needInput network.Name.Span
            arguments, None
        | Some _, Poisoned -> arguments, None
        | Some(shape, _), Known output ->
            arguments,
            Some
                {
                    Name = network.Name.Name
                    Nodes = List.ofSeq builder.Nodes
                    Input = shape
                    Output = output
                    Auxiliaries = List.ofSeq auxiliaries
                    Initialisers = List.ofSeq initialisers
                    Arguments = network.Parameters |> List.map (fun p -> p.Name.Name, arguments[p.Name.Name])
                    Span = network.Name.Span
                }

/// The file's constants, each seeing those above it.
let constants (declarations: Declarations) budget report : Map<string, Value> =
    (Map.empty, declarations.Constants)
    ||> List.fold (fun known (name, expr) ->
        let context: Evaluate.Context =
            {
                Functions = declarations.Functions
                Constants = known
                IsConstruction = fun name -> Map.containsKey name declarations.Blocks || (Catalog.tryFind name).IsSome
                Ambient = fun _ _ -> None
                Candidates = fun () -> known |> Map.toSeq |> Seq.map fst
                Report = report
                Budget = budget
            }

        Map.add name.Name (Evaluate.value context Map.empty expr) known)

/// The values of a network's parameters, and its graph unless something in it does not fit; whatever is wrong is reported.
let network
    declarations
    constants
    overrides
    budget
    report
    (declaration: BlockDeclaration)
    : Evaluate.Variables * Graph option =
    Elaboration(declarations, constants, overrides, budget, report).Run declaration
