/// Expressions to values.
module CnnSpec.Elaborate.Evaluate

open System
open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Elaborate.Arithmetic

type Variables = Map<string, Value>

/// Complains about an unknown name, with the nearest known one.
let unknownName (context: EvaluationContext) (span: Span) what name candidates =
    let diagnostic = Diagnostic.error "E0201" span $"there is no {what} called '{name}'"

    match Suggest.nearest name candidates with
    | Some near -> context.Report(Diagnostic.withHelp $"did you mean '{near}'?" diagnostic)
    | None -> context.Report diagnostic

/// A callee's variables: what it was given, and for the rest the defaults, each of which sees the parameters before it.
let private bindParameters evaluate (assigned: Map<string, Given>) (parameters: Parameter list) : Variables =
    (Map.empty, parameters)
    ||> List.fold (fun variables parameter ->
        let value =
            match Map.tryFind parameter.Name.Name assigned, parameter.Default with
            | Some argument, _ -> argument.Value
            | None, Some expr -> evaluate variables expr
            | None, None -> Unknown

        Map.add parameter.Name.Name value variables)

let rec private evaluate depth (context: EvaluationContext) (variables: Variables) (expr: Expr) : Value =
    context.Budget.Spend(expr.Span, 1)
    let eval = evaluate depth context variables

    match expr.Kind with
    | IntLiteral(value, _) -> Int value
    | FloatLiteral(value, text) ->
        // `5M` and `1k` are whole numbers written short.
        if Char.IsLetter text[text.Length - 1] && Math.Floor value = value && abs value < 9e18 then
            Int(int64 value)
        else
            Float value
    | BoolLiteral value -> Bool value
    | NoneLiteral -> Nothing
    | StringLiteral parts -> text eval context expr.Span parts
    | ListLiteral items ->
        let list = List(List.map eval items)
        context.Budget.Spend(expr.Span, list)
        list
    | MapLiteral entries -> map eval context entries
    | Name name -> lookUp context variables expr.Span name
    | ElementAt(target, at) -> element context expr.Span (eval target) (eval at)
    | LetIn(name, value, rest) -> evaluate depth context (Map.add name.Name (eval value) variables) rest
    | Unary(Negate, operand) ->
        match eval operand with
        | Unknown -> Unknown
        | Int value -> checkedInt context expr.Span (-(bigint value))
        | Float value -> Float(-value)
        | other -> context.Refuse("E0206", expr.Span, $"'-' cannot be used on {Value.kind other}")
    | Unary(Not, operand) ->
        match condition eval context operand with
        | Some value -> Bool(not value)
        | None -> Unknown
    | Binary(And, left, right) ->
        match condition eval context left with
        | Some true -> condition eval context right |> Option.fold (fun _ v -> Bool v) Unknown
        | Some false -> Bool false
        | None -> Unknown
    | Binary(Or, left, right) ->
        match condition eval context left with
        | Some false -> condition eval context right |> Option.fold (fun _ v -> Bool v) Unknown
        | Some true -> Bool true
        | None -> Unknown
    | Binary(operator, left, right) ->
        let left = eval left
        let right = eval right

        if operator = Equal || operator = NotEqual then
            context.Budget.Spend(expr.Span, left)
            context.Budget.Spend(expr.Span, right)

        match operator with
        | Equal
        | NotEqual when Value.isUnknown left || Value.isUnknown right -> Unknown
        | Equal -> Bool(equal left right)
        | NotEqual -> Bool(not (equal left right))
        | Less
        | LessEqual
        | Greater
        | GreaterEqual -> compare context expr.Span operator left right
        | _ -> arithmetic context expr.Span operator left right
    | Conditional(test, whenTrue, whenFalse) ->
        match condition eval context test with
        | Some true -> eval whenTrue
        | Some false -> eval whenFalse
        | None -> Unknown
    | Call(name, arguments) -> call depth context variables expr.Span name (given eval context arguments)

and private text eval (context: EvaluationContext) span parts =
    let pieces =
        parts
        |> List.map (fun part ->
            match part with
            | Literal text -> Text text
            | Hole hole -> eval hole)

    for piece in pieces do
        context.Budget.Spend(span, piece)

    if List.exists Value.isUnknown pieces then
        Unknown
    else
        pieces |> List.map Value.display |> String.concat "" |> Text

and private map eval (context: EvaluationContext) entries =
    let pairs =
        entries
        |> List.map (fun (key, value) ->
            let name, value = eval key, eval value
            context.Budget.Spend(key.Span, name)
            context.Budget.Spend(key.Span, value)
            key.Span, Value.display name, value)

    let doubled =
        pairs |> List.countBy (fun (_, key, _) -> key) |> List.filter (fun (_, count) -> count > 1)

    match doubled with
    | [] -> Map(pairs |> List.map (fun (_, key, value) -> key, value))
    | (key, _) :: _ ->
        let span, _, _ = pairs |> List.findBack (fun (_, k, _) -> k = key)
        context.Refuse("E0202", span, $"the key \"{key}\" is given twice")

and private condition eval (context: EvaluationContext) (expr: Expr) =
    match eval expr with
    | Bool value -> Some value
    | Unknown -> None
    | other ->
        context.Refuse(
            "E0206",
            expr.Span,
            $"a condition must be true or false, and is {Value.kind other}: {Value.describe other}"
        )
        |> ignore

        None

and private lookUp (context: EvaluationContext) variables span name =
    let found =
        Map.tryFind name variables
        |> Option.orElseWith (fun () -> context.Ambient span name)
        |> Option.orElseWith (fun () -> Map.tryFind name context.Constants)

    match found with
    | Some value -> value
    | None when context.IsConstruction name -> Made { Name = name; Arguments = []; Span = span }
    | None ->
        let candidates =
            Seq.append (variables |> Map.toSeq |> Seq.map fst) (context.Candidates())

        unknownName context span "value" name candidates
        Unknown

and private given eval (context: EvaluationContext) (arguments: Argument list) : Given list =
    arguments
    |> List.map (fun argument ->
        let value = eval argument.Value
        context.Budget.Spend(argument.Value.Span, value)

        {
            Name = argument.Name |> Option.map _.Name
            Value = value
            Span =
                match argument.Name with
                | Some name -> Span.cover name.Span argument.Value.Span
                | None -> argument.Value.Span
        })

and private call depth (context: EvaluationContext) variables span (name: Ident) arguments =
    match Map.tryFind name.Name context.Functions, Builtins.tryFind name.Name with
    | Some fn, _ -> apply depth context span fn arguments
    | None, Some builtin ->
        match arguments |> List.tryFind (fun argument -> argument.Name.IsSome) with
        | Some argument -> context.Refuse("E0203", argument.Span, $"{name.Name} takes its arguments by position")
        | None when arguments |> List.exists (fun argument -> Value.isUnknown argument.Value) -> Unknown
        | None ->
            match builtin.Apply(arguments |> List.map _.Value) with
            | Ok(List items) ->
                context.Budget.Spend(span, items.Length)
                List items
            | Ok value -> value
            | Error expectation ->
                let found =
                    arguments |> List.map (fun a -> Value.describe a.Value) |> String.concat ", "

                context.Refuse("E0206", span, $"{name.Name} takes {expectation}, and gets ({found})")
    | None, None when context.IsConstruction name.Name -> Made { Name = name.Name; Arguments = arguments; Span = span }
    | None, None ->
        match Map.tryFind name.Name variables |> Option.orElse (Map.tryFind name.Name context.Constants) with
        | Some(Made made) -> Made { made with Arguments = made.Arguments @ arguments }
        | Some Unknown -> Unknown
        | Some other -> context.Refuse("E0206", name.Span, $"'{name.Name}' is {Value.kind other} and cannot be called")
        | None ->
            let functions = context.Functions |> Map.toSeq |> Seq.map fst
            let builtins = Builtins.all |> Seq.map _.Name

            unknownName
                context
                name.Span
                "function"
                name.Name
                (Seq.concat [ functions; builtins; context.Candidates() ])

            Unknown

and private apply depth (context: EvaluationContext) span fn arguments =
    context.Budget.Call(span, depth + 1, fn.Name.Name)
    let parameters = fn.Parameters |> List.map (fun p -> p.Name.Name, p.Default.IsNone)
    let assigned, problems = Signature.assign fn.Name.Name parameters span arguments

    if not problems.IsEmpty then
        List.iter context.Report problems
        Unknown
    else
        let variables = bindParameters (evaluate (depth + 1) context) assigned fn.Parameters
        evaluate (depth + 1) context variables fn.Body

/// The value of an expression; `Unknown` where something in it was reported.
let value context variables expr = evaluate 0 context variables expr

/// A condition that must be true or false; nothing where it was reported.
let test context variables expr =
    condition (value context variables) context expr

/// The arguments of a call, evaluated.
let arguments context variables arguments =
    given (value context variables) context arguments

/// The variables of a block or a network that was called with these arguments.
let parameters context assigned parameters =
    bindParameters (value context) assigned parameters
