/// Operators on values: exact integers, finite numbers, lists, maps and text.
module internal CnnSpec.Elaborate.Arithmetic

open System
open CnnSpec.Text
open CnnSpec.Syntax

let private asFloat value =
    match value with
    | Int i -> Some(float i)
    | Float f -> Some f
    | _ -> None

let private finite (context: EvaluationContext) span value =
    if Double.IsFinite value then
        Float value
    else
        context.Refuse("E0210", span, "this is not a finite number")

/// An integer of the language, which has 64 bits.
let checkedInt (context: EvaluationContext) span (value: bigint) =
    if abs value <= bigint Int64.MaxValue then
        Int(int64 value)
    else
        context.Refuse("E0210", span, "this is larger than 64 bits hold")

let private floorMod (a: int64) (b: int64) =
    let remainder = a % b

    if remainder <> 0L && (remainder < 0L) <> (b < 0L) then
        remainder + b
    else
        remainder

let private power (context: EvaluationContext) span (b: int64) (exponent: int64) =
    // |base| ≥ 2 overflows 64 bits beyond the 63rd power; 0 and ±1 never grow.
    if exponent > 63L && abs b > 1L then
        context.Refuse("E0210", span, "this is larger than 64 bits hold")
    else
        let exponent =
            if abs b <= 1L then
                exponent % 2L + 2L * (min 1L (exponent / 2L))
            else
                exponent

        checkedInt context span (bigint.Pow(bigint b, int exponent))

/// Numbers are equal by value, whether whole or not.
let rec equal left right =
    match left, right with
    | (Int _ | Float _), (Int _ | Float _) -> asFloat left = asFloat right
    | List a, List b -> a.Length = b.Length && List.forall2 equal a b
    | Made a, Made b -> a.Name = b.Name && Value.print left = Value.print right
    | _ -> Value.print left = Value.print right

/// `+`, `-`, `*`, `/`, `%` and `**`; a quotient of integers that is whole stays one.
let arithmetic (context: EvaluationContext) span operator left right =
    let wrong () =
        let verb = BinaryOperator.spelling operator

        context.Refuse("E0206", span, $"'{verb}' cannot be used on {Value.kind left} and {Value.kind right}")

    match operator, left, right with
    | _, Unknown, _
    | _, _, Unknown -> Unknown
    | Add, Int a, Int b -> checkedInt context span (bigint a + bigint b)
    | Subtract, Int a, Int b -> checkedInt context span (bigint a - bigint b)
    | Multiply, Int a, Int b -> checkedInt context span (bigint a * bigint b)
    | (Divide | Remainder), (Int _ | Float _), Int 0L ->
        context.Refuse("E0210", span, $"{Value.describe left} is divided by zero")
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

/// `<` and its like.
let compare (context: EvaluationContext) span operator left right =
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
        | _ -> context.Refuse("E0206", span, $"{Value.kind left} and {Value.kind right} have no order")

/// `list[3]`, `list[-1]`, `map["key"]`
let element (context: EvaluationContext) (span: Span) target at =
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
            context.Refuse("E0207", span, $"a list of {items.Length} items has no item {position} (the first is 0)")
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
    | List _, other -> context.Refuse("E0206", span, $"a list is indexed with an integer, not with {Value.kind other}")
    | other, _ -> context.Refuse("E0206", span, $"{Value.kind other} has no items")
