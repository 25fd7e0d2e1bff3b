/// The functions every expression can call. They are pure; each says what it takes.
module CnnSpec.Elaborate.Builtins

open System

type Builtin =
    {
        Name: string
        Doc: string
        /// The result, or what was expected.
        Apply: Value list -> Result<Value, string>
    }

/// No list made by a function is longer than this.
let private longest = 100_000L

let private number value =
    match value with
    | Int i -> Some(float i)
    | Float f -> Some f
    | _ -> None

/// A float as an integer value where it is one that 64 bits hold.
let private integral (value: float) =
    if Double.IsFinite value && abs value < 9.2e18 then
        Ok(Int(int64 value))
    else
        Error "a number that fits an integer"

let private rounding name doc (round: float -> float) =
    {
        Name = name
        Doc = doc
        Apply =
            function
            | [ Int i ] -> Ok(Int i)
            | [ Float f ] -> integral (round f)
            | _ -> Error "one number"
    }

let private real name doc (compute: float -> float) =
    {
        Name = name
        Doc = doc
        Apply =
            function
            | [ value ] ->
                match number value with
                | Some f when Double.IsFinite(compute f) -> Ok(Float(compute f))
                | Some _ -> Error "a number for which it is defined"
                | None -> Error "one number"
            | _ -> Error "one number"
    }

let private extremum name doc (better: float -> float -> bool) =
    let choose values =
        if List.isEmpty values || List.exists (number >> Option.isNone) values then
            Error "numbers, or a list of numbers"
        else
            Ok(
                values
                |> List.reduce (fun best value ->
                    if better (number value).Value (number best).Value then
                        value
                    else
                        best)
            )

    {
        Name = name
        Doc = doc
        Apply =
            function
            | [ List values ] -> choose values
            | values -> choose values
    }

let private range =
    let build start stop step =
        if step = 0L then
            Error "a step other than 0"
        elif (float stop - float start) / float step > float longest then
            Error $"at most {longest} numbers"
        else
            Ok(List [ for value in start..step .. (if step > 0L then stop - 1L else stop + 1L) -> Int value ])

    {
        Name = "range"
        Doc = "`range(n)`, `range(start, stop)`, `range(start, stop, step)`: integers, the stop left out"
        Apply =
            function
            | [ Int stop ] -> build 0L stop 1L
            | [ Int start; Int stop ] -> build start stop 1L
            | [ Int start; Int stop; Int step ] -> build start stop step
            | _ -> Error "one to three integers"
    }

let private sum =
    {
        Name = "sum"
        Doc = "the sum of a list of numbers"
        Apply =
            function
            | [ List values ] when
                values
                |> List.forall (fun v ->
                    match v with
                    | Int _ -> true
                    | _ -> false)
                ->
                let total =
                    values
                    |> List.sumBy (fun v ->
                        match v with
                        | Int i -> bigint i
                        | _ -> 0I)

                if abs total <= bigint Int64.MaxValue then
                    Ok(Int(int64 total))
                else
                    Error "integers whose sum fits 64 bits"
            | [ List values ] when List.forall (number >> Option.isSome) values ->
                Ok(Float(values |> List.sumBy (number >> Option.get)))
            | _ -> Error "a list of numbers"
    }

let all: Builtin list =
    [
        rounding "floor" "the nearest integer below" Math.Floor
        rounding "ceil" "the nearest integer above" Math.Ceiling
        rounding "round" "the nearest integer, halves to even" (fun f -> Math.Round(f, MidpointRounding.ToEven))
        real "sqrt" "square root" Math.Sqrt
        real "log2" "logarithm to base 2" Math.Log2
        real "ln" "natural logarithm" Math.Log
        real "exp" "e to this power" Math.Exp
        {
            Name = "abs"
            Doc = "without its sign"
            Apply =
                function
                | [ Int i ] when i <> Int64.MinValue -> Ok(Int(abs i))
                | [ Float f ] -> Ok(Float(abs f))
                | _ -> Error "one number"
        }
        extremum "min" "the least of some numbers or of a list" (<)
        extremum "max" "the greatest of some numbers or of a list" (>)
        sum
        range
        {
            Name = "len"
            Doc = "how many items a list or map has, or characters a text"
            Apply =
                function
                | [ List items ] -> Ok(Int(int64 items.Length))
                | [ Map entries ] -> Ok(Int(int64 entries.Length))
                | [ Text text ] -> Ok(Int(int64 text.Length))
                | _ -> Error "a list, a map or text"
        }
        {
            Name = "keys"
            Doc = "the keys of a map"
            Apply =
                function
                | [ Map entries ] -> Ok(List(entries |> List.map (fst >> Text)))
                | _ -> Error "a map"
        }
        {
            Name = "values"
            Doc = "the values of a map"
            Apply =
                function
                | [ Map entries ] -> Ok(List(entries |> List.map snd))
                | _ -> Error "a map"
        }
        {
            Name = "reversed"
            Doc = "a list from its end"
            Apply =
                function
                | [ List items ] -> Ok(List(List.rev items))
                | _ -> Error "a list"
        }
        {
            Name = "text"
            Doc = "a value as text"
            Apply =
                function
                | [ value ] -> Ok(Text(Value.display value))
                | _ -> Error "one value"
        }
    ]

let private byName = all |> List.map (fun b -> b.Name, b) |> Map.ofList
let tryFind name = Map.tryFind name byName
