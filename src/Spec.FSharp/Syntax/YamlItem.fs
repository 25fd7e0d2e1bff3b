/// A map of YAML that is a statement or a declaration: one key says what it is, others may stand beside it.
module internal CnnSpec.Syntax.YamlItem

open CnnSpec.Text
open CnnSpec.Syntax.YamlTree
open CnnSpec.Syntax.YamlComments
open CnnSpec.Syntax.YamlReading

/// What each statement's map may hold besides the key that says what it is.
let companions =
    dict
        [
            "input", []
            "let", []
            "assert", [ "message" ]
            "repeat", [ "index"; "do" ]
            "for", [ "index"; "in"; "do" ]
            "if", [ "then"; "else" ]
            "concat", [ "with" ]
            "add", [ "with" ]
            "mul", [ "with" ]
            "group", []
            "aux", [ "with" ]
            "from", []
            "init", []
            "apply", []
        ]

let common = [ "label"; "as" ]

/// Every key with a meaning of its own; an operator or block of that name is called through `apply`.
let structural: Set<string> =
    set
        [
            yield! common

            for entry in companions do
                entry.Key
                yield! entry.Value
        ]

/// A map of statement or declaration: the key that says what it is, its value, and the others.
type Item =
    {
        Word: string
        Key: Node
        Value: Node
        Others: (string * Node * Node) list
        Node: Node
    }

    member this.TryFind word =
        this.Others |> List.tryPick (fun (name, _, value) -> if name = word then Some value else None)

let keyText (node: Node) =
    match node.Kind with
    | Scalar(_, text) -> text
    | _ -> ""

let suggestion word known otherwise =
    match Suggest.nearest word known with
    | Some near -> $"did you mean '{near}'?"
    | None -> otherwise

/// Complains about keys that mean nothing here.
let checkOthers (reading: Reading) (item: Item) allowed =
    for word, key, _ in item.Others do
        if not (List.contains word allowed) && key.Kind <> Refused then
            let known = String.concat ", " allowed
            reading.Complain key $"{item.Word} has no '{word}'" (suggestion word allowed $"it takes {known}")

/// A part that must be there.
let required (reading: Reading) (item: Item) word example =
    match item.TryFind word with
    | Some node when not (isNothing node) -> Some node
    | _ ->
        reading.Complain item.Key $"{item.Word} needs '{word}'" $"write {word}: {example}"
        None

/// The place where what comes after a part of an item begins.
let within (reading: Reading) (item: Item) (part: Node) (read: unit -> 'a) : 'a =
    let outer = reading.Limit

    let next =
        (item.Key :: (item.Others |> List.map (fun (_, key, _) -> key)))
        |> List.map _.Start
        |> List.filter (fun start -> start >= part.End && start > part.Start)

    reading.Limit <- List.fold min outer next
    let result = read ()
    reading.Limit <- outer
    result

let one (reading: Reading) (node: Node) what : (Node * Node) option =
    match node.Kind with
    | Mapping(_, [ entry ]) -> Some entry
    | Refused -> None
    | _ ->
        reading.Complain node $"{what} names one value, and this is {describe node}" "write let: {width: 64}"
        None
