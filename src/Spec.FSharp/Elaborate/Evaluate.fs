/// Expressions to values: pure arithmetic with exact integers.
module CnnSpec.Elaborate.Evaluate

open System
open CnnSpec.Text
open CnnSpec.Syntax

type Function = { Name: Ident; Parameters: Parameter list; Body: Expr }

/// What expressions can see besides their own variables.
type Context =
    {
        Functions: Map<string, Function>
        Constants: Map<string, Value>
        /// Blocks, operators and recipe parts: names whose call is a value by itself.
        IsConstruction: string -> bool
        /// `channels`, `height`, `width` of the tensor in hand.
        Ambient: Span -> string -> Value option
        /// All names that could have been meant.
        Candidates: unit -> string seq
        Report: Diagnostic -> unit
        Budget: Budget
    }

type Variables = Map<string, Value>

let private report context code (span: Span) message =
    context.Report(Diagnostic.error code span message)
    Unknown

let private asFloat value =
    match value with
    | Int i -> Some(float i)
    | Float f -> Some f
    | _ -> None

let private finite context span value =
    if Double.IsFinite value then
        Float value
    else
        report context "E0210" span "this is not a finite number"

let private checkedInt context span (value: bigint) =
    if abs value <= bigint Int64.MaxValue then
        Int(int64 value)
    else
        report context "E0210" span "this is larger than 64 bits hold"

let private floorMod (a: int64) (b: int64) =
    let remainder = a % b

    if remainder <> 0L && (remainder < 0L) <> (b < 0L) then
        remainder + b
    else
        remainder

let private power context span (b: int64) (exponent: int64) =
    // |base| ≥ 2 overflows 64 bits beyond the 63rd power; 0 and ±1 never grow.
    if exponent > 63L && abs b > 1L then
        report context "E0210" span "this is larger than 64 bits hold"
    else
        let exponent =
            if abs b <= 1L then
                exponent % 2L + 2L * (min 1L (exponent / 2L))
            else
                exponent

        checkedInt context span (bigint.Pow(bigint b, int exponent))

let rec private equal left right =
    match left, right with
    | (Int _ | Float _), (Int _ | Float _) -> asFloat left = asFloat right
    | List a, List b -> a.Length = b.Length && List.forall2 equal a b
    | Made a, Made b -> a.Name = b.Name && Value.print left = Value.print right
    | _ -> Value.print left = Value.print right

let private arithmetic context span operator left right =
    let wrong () =
        let verb = BinaryOperator.spelling operator

        report context "E0206" span $"'{verb}' cannot be used on {Value.kind left} and {Value.kind right}"

    match operator, left, right with
    | _, Unknown, _
    | _, _, Unknown -> Unknown
    | Add, Int a, Int b -> checkedInt context span (bigint a + bigint b)
    | Subtract, Int a, Int b -> checkedInt context span (bigint a - bigint b)
    | Multiply, Int a, Int b -> checkedInt context span (bigint a * bigint b)
    | (Divide | Remainder), (Int _ | Float _), Int 0L ->
        report context "E0210" span $"{Value.describe left} is divided by zero"
    | Divide, Int a, Int b when a % b = 0L -> Int(a / b)
    | Remainder, Int a, Int b -> Int(floorMod a b)
    | Power, Int a, Int b when b >= 0L -> power context span a b
    | Add, List a, List b ->
        context.Budget.Spend(span, a.Length + b.Length)
        List(a @ b)
    | Add, Text a, Text b ->
        context.Budget.Spend(span, a.Length + b.Length)
        Text(a + b)
    | _ ->
        match asFloat left, asFloat right, operator with
        | Some a, Some b, Add -> finite context span (a + b)
        | Some a, Some b, Subtract -> finite context span (a - b)
        | Some a, Some b, Multiply -> finite context span (a * b)
        | Some a, Some b, Divide -> finite context span (a / b)
        | Some a, Some b, Power -> finite context span (Math.Pow(a, b))
        | Some a, Some b, Remainder when b <> 0.0 -> finite context span (a - b * Math.Floor(a / b))
        | _ -> wrong ()

let private compare context span operator left right =
    let ordered order =
        match operator with
        | Less -> Bool(order < 0)
        | LessEqual -> Bool(order <= 0)
        | Greater -> Bool(order > 0)
        | _ -> Bool(order >= 0)

    match left, right with
    | Unknown, _
    | _, Unknown -> Unknown
    | Int a, Int b -> ordered (compare a b)
    | Text a, Text b -> ordered (String.CompareOrdinal(a, b))
    | _ ->
        match asFloat left, asFloat right with
        | Some a, Some b -> ordered (compare a b)
        | _ -> report context "E0206" span $"{Value.kind left} and {Value.kind right} have no order"

let private element context (span: Span) target at =
    match target, at with
    | Unknown, _
    | _, Unknown -> Unknown
    | List items, Int position ->
        let index =
            if position < 0L then
                position + int64 items.Length
            else
                position

        if index >= 0L && index < int64 items.Length then
            items[int index]
        else
            report context "E0207" span $"a list of {items.Length} items has no item {position} (the first is 0)"
    | Map entries, key ->
        context.Budget.Spend(span, key)
        let wanted = Value.display key

        match entries |> List.tryFind (fun (name, _) -> name = wanted) with
        | Some(_, value) -> value
        | None ->
            let diagnostic = Diagnostic.error "E0201" span $"the map has no key \"{wanted}\""

            let help =
                match Suggest.nearest wanted (entries |> List.map fst) with
                | Some near -> $"did you mean \"{near}\"?"
                | None ->
                    let keys = entries |> List.map (fun (key, _) -> $"\"{key}\"") |> String.concat ", "
                    $"it has {keys}"

            context.Report(Diagnostic.withHelp help diagnostic)
            Unknown
    | List _, other -> report context "E0206" span $"a list is indexed with an integer, not with {Value.kind other}"
    | other, _ -> report context "E0206" span $"{Value.kind other} has no items"

/// Complains about an unknown name, with the nearest known one.
let unknownName context (span: Span) what name candidates =
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

let rec private evaluate depth (context: Context) (variables: Variables) (expr: Expr) : Value =
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
        | other -> report context "E0206" expr.Span $"'-' cannot be used on {Value.kind other}"
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

and private text eval context span parts =
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

and private map eval context entries =
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
        report context "E0202" span $"the key \"{key}\" is given twice"

and private condition eval context (expr: Expr) =
    match eval expr with
    | Bool value -> Some value
    | Unknown -> None
    | other ->
        report
            context
            "E0206"
            expr.Span
            $"a condition must be true or false, and is {Value.kind other}: {Value.describe other}"
        |> ignore

        None

and private lookUp context variables span name =
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

and private given eval context (arguments: Argument list) : Given list =
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

and private call depth context variables span (name: Ident) arguments =
    match Map.tryFind name.Name context.Functions, Builtins.tryFind name.Name with
    | Some fn, _ -> apply depth context span fn arguments
    | None, Some builtin ->
        match arguments |> List.tryFind (fun argument -> argument.Name.IsSome) with
        | Some argument -> report context "E0203" argument.Span $"{name.Name} takes its arguments by position"
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

                report context "E0206" span $"{name.Name} takes {expectation}, and gets ({found})"
    | None, None when context.IsConstruction name.Name -> Made { Name = name.Name; Arguments = arguments; Span = span }
    | None, None ->
        match Map.tryFind name.Name variables |> Option.orElse (Map.tryFind name.Name context.Constants) with
        | Some(Made made) -> Made { made with Arguments = made.Arguments @ arguments }
        | Some Unknown -> Unknown
        | Some other -> report context "E0206" name.Span $"'{name.Name}' is {Value.kind other} and cannot be called"
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

and private apply depth context span fn arguments =
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
