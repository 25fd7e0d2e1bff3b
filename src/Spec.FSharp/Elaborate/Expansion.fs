namespace CnnSpec.Elaborate

open System
open System.Collections.Generic
open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Shape
open CnnSpec.Syntax

/// The tensor that the next statement works on.
type internal Tensor =
    | Known of int
    /// Something went wrong on the way here and has been reported; what depends on it stays silent.
    | Poisoned

/// What a statement can see. It ends with its body.
type internal Scope =
    {
        Variables: Evaluate.Variables
        Tensors: Map<string, Tensor>
        /// The calls and loops that led here, innermost first.
        Frames: Frame list
        Calls: int
        TrainingOnly: bool
    }

type internal InputState =
    | Unsaid
    | Declared of Shape * Span
    /// It is wrong or missing, and that has been reported.
    | Faulty

/// Names that every expression of a network's body has.
module internal Ambient =
    /// Of the current tensor, in the order of its shape.
    let dimensions = [ "channels"; "height"; "width" ]

    /// Parameters of the network so far.
    let parameters = "params"

    let names = parameters :: dimensions

/// A network being expanded: its graph so far, the current tensor, and what all statements do with them.
type internal Expansion(elaboration: ElaborationContext) =
    let longestLabel = 100
    let declarations = elaboration.Declarations
    let constants = elaboration.Constants
    let budget = elaboration.Budget

    /// A complaint costs as much as many steps: its words are sought among all names, in every iteration of a loop anew.
    let report (diagnostic: Diagnostic) =
        budget.Spend(diagnostic.Primary.Span, Budget.Complaint)
        elaboration.Report diagnostic

    let builder = Builder budget
    let mismatched = HashSet<Span>()
    let mutable current = Poisoned
    let mutable input = Unsaid

    /// `channels`, `height`, `width` of the current tensor, and the network's `params` so far.
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

        match List.tryFindIndex ((=) name) Ambient.dimensions with
        | Some index -> dimension index
        | None when name = Ambient.parameters ->
            match current with
            | Poisoned -> Some Unknown
            | Known _ -> Some(Int(builder.Nodes |> Seq.sumBy (fun node -> Cost.parameters node.Weights)))
        | None -> None

    let context: EvaluationContext =
        {
            Functions = declarations.Functions
            Constants = constants
            IsConstruction =
                fun name ->
                    Map.containsKey name declarations.Blocks
                    || (Catalog.tryFind name).IsSome
                    || (Initialisers.tryFind name).IsSome
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

    /// Where a complaint's operands came from.
    let withProvenance scope (diagnostic: Diagnostic) =
        let shown = scope.Frames |> List.truncate 4
        diagnostic |> Diagnostic.withRelated (shown |> List.map (fun f -> { Span = f.Span; Text = f.Text }))

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
                |> withProvenance scope
                |> Diagnostic.withHelp
                    "compute the label, as in \"conv{i}\": …, or put the loop's body into a block, whose calls are numbered"
            )

    let append scope path operator op (inputs: Node list) shape span =
        builder.Append(fun id ->
            {
                Id = id
                Path = path
                Operator = operator
                Op = op
                Inputs = inputs |> List.map _.Id
                Shape = shape
                Weights = Weights.ofOp op (inputs |> List.map _.Shape)
                Span = span
                Frames = scope.Frames
                TrainingOnly = scope.TrainingOnly
            })

    member _.Declarations = declarations
    member _.Overrides = elaboration.Overrides
    member _.Budget = budget
    member _.Context = context
    member _.Builder = builder

    member _.Item
        with get id = builder[id]

    member val Auxiliaries = ResizeArray<AuxiliaryHead>()
    member val Initialisers = ResizeArray<InitialiserRule>()

    member _.Current
        with get () = current
        and set tensor = current <- tensor

    /// The current tensor is of no use, and that has been reported.
    member _.Poison() = current <- Poisoned

    member _.Input
        with get () = input
        and set state = input <- state

    member _.Eval(scope, expr) =
        Evaluate.value context scope.Variables expr

    member _.Test(scope, condition) =
        Evaluate.test context scope.Variables condition

    member _.Given(scope, arguments) =
        Evaluate.arguments context scope.Variables arguments

    member _.Report diagnostic = report diagnostic

    /// Reports with the calls and loops that led here.
    member _.ReportIn(scope, diagnostic) =
        diagnostic |> withProvenance scope |> report

    /// Checks the arguments of a call; nothing where one is wrong, which is reported.
    member this.Bind(scope, signature: Signature, span, given) =
        // Every parameter is looked at, given or not.
        budget.Spend(span, Budget.Application + signature.Parameters.Length)
        let bound, problems = Signature.bind signature span given

        for problem in problems do
            this.ReportIn(scope, problem)

        bound

    member _.Complain(scope, span, mismatch: Mismatch, label) =
        let diagnostic =
            Diagnostic.error mismatch.Code (Span.firstLine span) mismatch.Message
            |> Diagnostic.withLabel label
            |> withProvenance scope

        let diagnostic =
            (diagnostic, mismatch.Notes) ||> List.fold (fun d note -> Diagnostic.withNote note d)

        report (mismatch.Help |> Option.fold (fun d help -> Diagnostic.withHelp help d) diagnostic)

    /// Whether branches that do not fit are seen at this place for the first time. Their story is long to find, and a
    /// loop would have it found in every iteration.
    member _.IsFirstMismatch(span: Span) = mismatched.Add span

    /// Says that `name`, standing at `at` in the statement of `span`, is neither operator nor block.
    member _.ComplainOfName(scope, at: Span, span: Span, name) =
        if (Builtins.tryFind name).IsSome || Map.containsKey name declarations.Functions then
            report (
                Diagnostic.error "E0206" span $"'{name}' is a function, not an operator or a block"
                |> Diagnostic.withHelp $"functions give values, as in let x = {name}(…)"
            )
        else
            let candidates =
                Seq.concat
                    [
                        Seq.ofList Catalog.names
                        declarations.Blocks |> Map.toSeq |> Seq.map fst
                        scope.Tensors |> Map.toSeq |> Seq.map fst
                        scope.Variables |> Map.toSeq |> Seq.map fst
                        [ "split" ]
                    ]

            Evaluate.unknownName context at "operator, block or tensor" name candidates

    member _.NeedInput(span: Span) =
        if input = Unsaid then
            report (
                Diagnostic.error "E0213" (Span.firstLine span) "a network begins with its input"
                |> Diagnostic.withHelp "put a line such as 'input 3 x 32 x 32' first"
            )

            input <- Faulty

    /// The label's text; nothing where it is missing or wrong.
    member this.Label(scope, statement: Statement) =
        statement.Label
        |> Option.bind (fun expr ->
            match this.Eval(scope, expr) with
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

    /// The name of a layer: its label, or the next number.
    member _.LayerPath(naming: Naming, scope, named, span) =
        let name, span = named |> Option.defaultWith (fun () -> naming.Number(), span)
        takeName naming scope (name, span)
        naming.Path name

    /// The scope of names that a labelled statement opens for the layers in it.
    member this.Inner(naming: Naming, scope, statement) =
        match this.Label(scope, statement) with
        | Some(name, span) ->
            takeName naming scope (name, span)
            Naming(naming.Path name)
        | None -> naming

    member _.Append(scope, path, operator, op, inputs: Node list, span) : Result<Node, Mismatch> =
        Infer.output op (inputs |> List.map _.Shape)
        |> Result.map (fun shape -> append scope path operator op inputs shape span)

    /// Appends the input and makes it the current tensor.
    member _.AppendInput(scope, shape, span) =
        current <- Known (append scope "input" "input" Op.Input [] shape span).Id

    /// Appends an operation on the current tensor, which it replaces.
    member this.Step(scope, path, operator, op, span) =
        match current with
        | Poisoned -> ()
        | Known id ->
            let source = builder[id]

            match this.Append(scope, path, operator, op, [ source ], span) with
            | Ok node -> current <- Known node.Id
            | Error mismatch ->
                let from =
                    if source.Op = Op.Input then
                        "the input"
                    else
                        $"{source.Operator} at {Span.describe source.Span}"

                this.Complain(scope, span, mismatch, $"gets {Shape.describe source.Shape} from {from}")
                current <- Poisoned
