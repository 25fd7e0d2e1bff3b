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

    /// The value as a spec would write it, with at most so many items of each list and so many characters of each text, so
    /// many levels deep.
    let rec private write most levels value =
        let several (items: 'a list) (one: 'a -> string) =
            if levels = 0 && not items.IsEmpty then
                "…"
            else
                let shown = items |> List.truncate most |> List.map one
                let shown = if items.Length > most then shown @ [ "…" ] else shown
                String.concat ", " shown

        let inner = write most (levels - 1)

        match value with
        | Int i -> string i
        | Float f -> formatFloat f
        | Bool b -> if b then "true" else "false"
        | Text t when t.Length > 5 * most -> $"\"{t.Substring(0, 5 * most)}…\""
        | Text t -> $"\"{t}\""
        | List items -> "[" + several items inner + "]"
        | Map entries -> "{" + several entries (fun (key, value) -> $"\"{key}\": {inner value}") + "}"
        | Made { Name = name; Arguments = [] } -> name
        | Made made ->
            let argument (given: Given) =
                match given.Name with
                | Some name -> $"{name}={inner given.Value}"
                | None -> inner given.Value

            $"{made.Name}({several made.Arguments argument})"
        | Nothing -> "none"
        | Unknown -> "?"

    /// The value as a message shows it: as a spec would write it, long lists and texts cut short.
    let describe value = write 8 3 value

    /// The whole value as a spec would write it. It may be long: count its `size` first.
    let print value =
        write (System.Int32.MaxValue / 8) System.Int32.MaxValue value

    /// The value inside text with holes: text without its quotes.
    let display value =
        match value with
        | Text text -> text
        | other -> print other

    /// How many values it is made of, and characters; what looks through a value pays as much. Counting ends at `most`:
    /// values share their parts, so a few lines of a spec can make one that is longer than any memory.
    let size (most: int) value =
        let rec count total value =
            if total >= most then
                total
            else
                match value with
                | Text text -> total + 1 + text.Length
                | List items -> many (total + 1) items
                | Map entries -> many (total + 1) (Seq.map snd entries)
                | Made made -> many (total + 1) (made.Arguments |> Seq.map (fun given -> given.Value))
                | _ -> total + 1

        and many total (items: Value seq) =
            let mutable total = total
            use items = items.GetEnumerator()

            while total < most && items.MoveNext() do
                total <- count total items.Current

            total

        count 0 value

    let rec isUnknown value =
        match value with
        | Unknown -> true
        | List items -> List.exists isUnknown items
        | Map entries -> entries |> List.exists (snd >> isUnknown)
        | Made made -> made.Arguments |> List.exists (fun given -> isUnknown given.Value)
        | _ -> false
