namespace CnnSpec.Elaborate

open CnnSpec.Text
open CnnSpec.Operators

/// What a parameter accepts.
type ParameterType =
    | Integer of low: int64 * high: int64
    | Number of low: float * high: float
    | Flag
    /// A height and a width: `3` or `[3, 5]`.
    | Size of low: int64
    /// `1`, `[1, 2]` (height, width), `[top, bottom, left, right]` or `"same"`.
    | Padding
    | Choice of string list
    | Integers
    /// A number or a list of them.
    | Numbers
    /// The same, or one word that says how they come about.
    | NumbersOr of word: string
    | Words
    /// One of the constructions named in a table (an optimizer, a schedule …).
    | One of kind: string
    /// A list of them.
    | Many of kind: string

type ParameterInfo =
    {
        Name: string
        Type: ParameterType
        /// Nothing where it must be given.
        Default: Value option
        Doc: string
    }

/// The arguments of a call after checking: every parameter that was given or has a default.
type Bound(values: Map<string, Value>) =
    let get name =
        Map.tryFind name values |> Option.defaultValue Nothing

    let extent value =
        match value with
        | Int size -> Some(Extent.square (int size))
        | List [ Int height; Int width ] -> Some { Height = int height; Width = int width }
        | _ -> None

    member _.Value name = get name
    member _.Has name = get name <> Nothing

    member _.Int name =
        match get name with
        | Int value -> int value
        | _ -> 0

    member _.Float name =
        match get name with
        | Int value -> float value
        | Float value -> value
        | _ -> 0.0

    member _.Flag name = get name = Bool true

    member _.Text name =
        match get name with
        | Text value -> value
        | _ -> ""

    member _.Integers name =
        match get name with
        | List items ->
            items
            |> List.choose (fun item ->
                match item with
                | Int value -> Some value
                | _ -> None)
        | Int value -> [ value ]
        | _ -> []

    /// Axes and epochs: what is beyond ±2³⁰ is as wrong as 2³⁰ itself, and is refused like it.
    member this.Ints name =
        this.Integers name |> List.map (fun value -> int (max -(1L <<< 30) (min (1L <<< 30) value)))

    member _.Floats name =
        let number value =
            match value with
            | Int value -> Some(float value)
            | Float value -> Some value
            | _ -> None

        match get name with
        | List items -> List.choose number items
        | value -> number value |> Option.toList

    member _.TryExtent name = extent (get name)

    member this.Extent name =
        this.TryExtent name |> Option.defaultValue Extent.one

/// What can be called, with which arguments: an operator, a block, an optimizer, a data set …
type Signature = { Name: string; Parameters: ParameterInfo list }

module Parameter =

    let required name kind doc =
        { Name = name; Type = kind; Default = None; Doc = doc }

    let optional name kind value doc =
        { Name = name; Type = kind; Default = Some value; Doc = doc }

    /// No count, kernel or factor may be larger (2²⁰), channels and features not larger than 2³⁰.
    let largest = 1L <<< 20
    let mostChannels = 1L <<< 30

    let count = Integer(1L, largest)
    let channels = Integer(1L, mostChannels)
    let natural = Integer(0L, largest)
    let positive = Number(System.Double.Epsilon, 1e30)
    let nonNegative = Number(0.0, 1e30)
    let anyNumber = Number(-1e30, 1e30)
    let probability = Number(0.0, 1.0)
    let size = Size 1L

    let expectation kind =
        match kind with
        | Integer(low, high) when low <= 0L && high < largest -> $"an integer from {low} to {high}"
        | Integer(1L, _) -> "a positive integer"
        | Integer(0L, _) -> "an integer, 0 or more"
        | Integer _ -> "an integer"
        | Number(low, high) when high <= 1.0 && low >= 0.0 -> $"a number from {low} to {high}"
        | Number(low, _) when low > 0.0 -> "a positive number"
        | Number(0.0, _) -> "a number, 0 or more"
        | Number _ -> "a number"
        | Flag -> "true or false"
        | Size _ -> "a size (3, or [height, width])"
        | Padding -> "cells around the map (1, [height, width], [top, bottom, left, right] or \"same\")"
        | Choice words -> words |> List.map (fun word -> $"\"{word}\"") |> String.concat " or "
        | Integers -> "a list of integers"
        | Numbers -> "a number or a list of numbers"
        | NumbersOr word -> $"a list of numbers or \"{word}\""
        | Words -> "text"
        | One kind when "aeiou".Contains kind[0] -> $"an {kind}"
        | One kind -> $"a {kind}"
        | Many kind -> $"a list of {kind}s"

    /// What a value of the right kind may be, seen from one that is not.
    let range kind value =
        match kind, value with
        | Integer(_, high), Int value when value > high -> $"an integer up to {high}"
        | Size low, _ -> $"a size from {low} to {largest}"
        | Padding, _ -> $"from 0 to {largest} cells on each side"
        | other, _ -> expectation other

    type Fit =
        | Fits
        | WrongKind
        | OutOfRange

    let private inRange low high value =
        if value >= low && value <= high then Fits else OutOfRange

    let rec fit kind value =
        match kind, value with
        | _, Unknown -> Fits
        | Integer(low, high), Int value -> inRange low high value
        | Number(low, high), Int value -> inRange low high (float value)
        | Number(low, high), Float value -> inRange low high value
        | Flag, Bool _ -> Fits
        | Size low, Int value -> inRange low largest value
        | Size low, List [ Int height; Int width ] ->
            if inRange low largest height = Fits then
                inRange low largest width
            else
                OutOfRange
        | Padding, Int value -> inRange 0L largest value
        | Padding, List items when items.Length = 2 || items.Length = 4 ->
            let fits = items |> List.map (fit natural)
            fits |> List.tryFind ((<>) Fits) |> Option.defaultValue Fits
        | Padding, Text "same" -> Fits
        | Choice words, Text word -> if List.contains word words then Fits else OutOfRange
        // A choice may be written without quotes: `mode=reflect` names nothing else.
        | Choice words, Made { Name = word; Arguments = [] } when List.contains word words -> Fits
        | Integers, List items when
            items
            |> List.forall (fun item ->
                match item with
                | Int _ -> true
                | _ -> false)
            ->
            Fits
        | NumbersOr word, (Text given | Made { Name = given; Arguments = [] }) ->
            if given = word then Fits else OutOfRange
        | NumbersOr _, value -> fit Numbers value
        | Numbers, (Int _ | Float _) -> Fits
        | Numbers, List items when
            items
            |> List.forall (fun item ->
                match item with
                | Int _
                | Float _ -> true
                | _ -> false)
            ->
            Fits
        | Words, Text _ -> Fits
        | One _, Made _ -> Fits
        | Many _, List items when
            items
            |> List.forall (fun item ->
                match item with
                | Made _ -> true
                | _ -> false)
            ->
            Fits
        | Many _, Made _ -> Fits
        | _ -> WrongKind

[<RequireQualifiedAccess>]
module Signature =

    /// `conv(out_channels, kernel, stride=1, …)`
    let describe (signature: Signature) =
        let parameter (p: ParameterInfo) =
            match p.Default with
            | None -> p.Name
            | Some value -> $"{p.Name}={Value.describe value}"

        $"""{signature.Name}({signature.Parameters |> List.map parameter |> String.concat ", "})"""

    /// Which parameter each argument is for. Reports unknown and doubled names, too many and missing arguments.
    /// `call` is where to complain about what is missing.
    let assign (name: string) (parameters: (string * bool) list) (call: Span) (arguments: Given list) =
        let problems = ResizeArray<Diagnostic>()
        let names = parameters |> List.map fst

        let usage () =
            let parameter (name, needed) = if needed then name else name + "=…"
            $"""it takes {name}({parameters |> List.map parameter |> String.concat ", "})"""

        let mutable assigned = Map.empty
        let mutable misspelt = Set.empty
        let mutable position = 0

        for argument in arguments do
            match argument.Name with
            | Some key when not (List.contains key names) ->
                let near = Suggest.nearest key names
                misspelt <- near |> Option.fold (fun found name -> Set.add name found) misspelt

                Diagnostic.error "E0203" argument.Span $"{name} has no parameter '{key}'"
                |> Diagnostic.withHelp (
                    match near with
                    | Some near -> $"did you mean '{near}'?"
                    | None -> usage ()
                )
                |> problems.Add
            | Some key when Map.containsKey key assigned ->
                problems.Add(Diagnostic.error "E0203" argument.Span $"'{key}' is given twice")
            | Some key -> assigned <- Map.add key argument assigned
            | None when position >= names.Length ->
                if position = names.Length then
                    problems.Add(
                        match names.Length with
                        | 0 -> Diagnostic.error "E0205" argument.Span $"{name} takes no arguments"
                        | 1 ->
                            Diagnostic.error "E0205" argument.Span $"{name} takes one argument"
                            |> Diagnostic.withHelp (usage ())
                        | count ->
                            Diagnostic.error "E0205" argument.Span $"{name} takes at most {count} arguments"
                            |> Diagnostic.withHelp (usage ())
                    )

                position <- position + 1
            | None ->
                let key = names[position]
                position <- position + 1

                if Map.containsKey key assigned then
                    problems.Add(Diagnostic.error "E0203" argument.Span $"'{key}' is given twice")
                else
                    assigned <- Map.add key argument assigned

        for key, needed in parameters do
            // A misspelt argument is not missing as well.
            if needed && not (Map.containsKey key assigned || Set.contains key misspelt) then
                problems.Add(Diagnostic.error "E0204" call $"{name} needs '{key}'" |> Diagnostic.withHelp (usage ()))

        assigned, List.ofSeq problems

    let private misfit name (parameter: ParameterInfo) (argument: Given) fit =
        let found = Value.describe argument.Value

        let diagnostic =
            match fit with
            | Parameter.OutOfRange ->
                Diagnostic.error
                    "E0207"
                    argument.Span
                    $"{name}'s {parameter.Name} must be {Parameter.range parameter.Type argument.Value}, and is {found}"
            | _ ->
                Diagnostic.error
                    "E0206"
                    argument.Span
                    $"{name}'s {parameter.Name} must be {Parameter.expectation parameter.Type}, and is {Value.kind argument.Value}: {found}"

        match parameter.Type, argument.Value with
        | Choice words, (Text word | Made { Name = word }) ->
            match Suggest.nearest word words with
            | Some near -> Diagnostic.withHelp $"did you mean \"{near}\"?" diagnostic
            | None -> diagnostic
        | (Integer _ | Size _ | Padding), Float _ ->
            diagnostic |> Diagnostic.withHelp "floor(…), ceil(…) or round(…) makes an integer of it"
        | _ -> diagnostic

    /// Checks the arguments of a call; nothing is bound where a value is wrong or unknown.
    let bind (signature: Signature) (call: Span) (arguments: Given list) : Bound option * Diagnostic list =
        let parameters =
            signature.Parameters |> List.map (fun p -> p.Name, p.Default.IsNone)

        let assigned, problems = assign signature.Name parameters call arguments

        let misfits =
            signature.Parameters
            |> List.choose (fun parameter ->
                match Map.tryFind parameter.Name assigned with
                | Some argument when Some argument.Value <> parameter.Default ->
                    match Parameter.fit parameter.Type argument.Value with
                    | Parameter.Fits -> None
                    | fit -> Some(misfit signature.Name parameter argument fit)
                | _ -> None)

        let value (parameter: ParameterInfo) =
            match Map.tryFind parameter.Name assigned, parameter.Type with
            | Some { Value = Made { Name = word; Arguments = [] } }, (Choice _ | NumbersOr _) -> Text word
            | Some argument, _ -> argument.Value
            | None, _ -> Option.defaultValue Nothing parameter.Default

        let problems = problems @ misfits

        let values =
            signature.Parameters |> List.map (fun p -> p.Name, value p) |> Map.ofList

        if problems.IsEmpty && not (Map.exists (fun _ v -> Value.isUnknown v) values) then
            Some(Bound values), []
        else
            None, problems
