namespace CnnSpec.Elaborate

open System.Globalization
open CnnSpec.Text

/// What an expression comes to.
type Value =
    | Int of int64
    | Float of float
    | Bool of bool
    | Text of string
    | List of Value list
    | Map of (string * Value) list
    /// An operator, a block or a recipe's part (`adamw(lr=1e-3)`), with the arguments it already has.
    | Made of Construction
    | Nothing
    /// The value of something that has already been reported; whatever touches it stays silent.
    | Unknown

and Construction = { Name: string; Arguments: Given list; Span: Span }

/// An argument as given: by position or by name.
and Given = { Name: string option; Value: Value; Span: Span }

[<RequireQualifiedAccess>]
module Value =

    /// The kind of a value, as messages name it.
    let kind value =
        match value with
        | Int _ -> "an integer"
        | Float _ -> "a number"
        | Bool _ -> "true or false"
        | Text _ -> "text"
        | List _ -> "a list"
        | Map _ -> "a map"
        | Made _ -> "an operator"
        | Nothing -> "none"
        | Unknown -> "something that failed"

    let formatFloat (value: float) =
        let text = value.ToString("R", CultureInfo.InvariantCulture)
        text.ToLowerInvariant()

    /// The value as a spec would write it.
    let rec describe value =
        match value with
        | Int i -> string i
        | Float f -> formatFloat f
        | Bool b -> if b then "true" else "false"
        | Text t -> $"\"{t}\""
        | List items -> "[" + (items |> List.map describe |> String.concat ", ") + "]"
        | Map entries ->
            let entry (key: string, value) = $"\"{key}\": {describe value}"
            "{" + (entries |> List.map entry |> String.concat ", ") + "}"
        | Made { Name = name; Arguments = [] } -> name
        | Made made ->
            let argument (given: Given) =
                match given.Name with
                | Some name -> $"{name}={describe given.Value}"
                | None -> describe given.Value

            $"""{made.Name}({made.Arguments |> List.map argument |> String.concat ", "})"""
        | Nothing -> "none"
        | Unknown -> "?"

    /// The value inside text with holes: text without its quotes.
    let display value =
        match value with
        | Text text -> text
        | other -> describe other

    let rec isUnknown value =
        match value with
        | Unknown -> true
        | List items -> List.exists isUnknown items
        | Map entries -> entries |> List.exists (snd >> isUnknown)
        | Made made -> made.Arguments |> List.exists (fun given -> isUnknown given.Value)
        | _ -> false
