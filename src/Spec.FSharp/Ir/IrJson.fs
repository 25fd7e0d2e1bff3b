/// Programs and recipes as JSON and back. Records become objects, unions `{"case": "Conv", "fields": [...]}` or, without
/// fields, a word; so a new operation needs nothing here.
module CnnSpec.Ir.IrJson

open System
open System.Collections.Concurrent
open System.Text.Json.Nodes
open Microsoft.FSharp.Reflection

/// The file does not hold what was asked for.
exception MalformedIr of string

let private caseReaders = ConcurrentDictionary<Type, UnionCaseInfo[]>()

let private cases kind =
    caseReaders.GetOrAdd(kind, fun kind -> FSharpType.GetUnionCases kind)

let private camel (name: string) =
    string (Char.ToLowerInvariant name[0]) + name.Substring 1

let private isGeneric definition (kind: Type) =
    kind.IsGenericType && kind.GetGenericTypeDefinition() = definition

let private isList kind = isGeneric typedefof<_ list> kind
let private isOption kind = isGeneric typedefof<_ option> kind

/// What fields are called in files of version 0.1.
let private earlierNames = Map [ "Trainable", "learnt" ]

/// What fields that version 0.1 did not have were in it.
let private addedSince = Map [ "Balanced", box false ]

let rec private write (kind: Type) (value: obj) : JsonNode =
    if kind = typeof<string> then
        JsonValue.Create(value :?> string)
    elif kind = typeof<int> then
        JsonValue.Create(value :?> int)
    elif kind = typeof<int64> then
        JsonValue.Create(value :?> int64)
    elif kind = typeof<bool> then
        JsonValue.Create(value :?> bool)
    elif kind = typeof<float> then
        JsonValue.Create(value :?> float)
    elif isList kind then
        let item = kind.GetGenericArguments()[0]
        let array = JsonArray()

        for element in value :?> System.Collections.IEnumerable do
            array.Add(write item element)

        array
    elif isOption kind then
        if isNull value then
            null
        else
            let _, fields = FSharpValue.GetUnionFields(value, kind)
            write (kind.GetGenericArguments()[0]) fields[0]
    elif FSharpType.IsRecord kind then
        let result = JsonObject()

        for field in FSharpType.GetRecordFields kind do
            result.Add(camel field.Name, write field.PropertyType (field.GetValue value))

        result
    else
        let case, fields = FSharpValue.GetUnionFields(value, kind)

        if fields.Length = 0 then
            JsonValue.Create case.Name
        else
            let result = JsonObject()
            result.Add("case", JsonValue.Create case.Name)

            for info, field in Array.zip (case.GetFields()) fields do
                result.Add(camel info.Name, write info.PropertyType field)

            result

let rec private read (kind: Type) (node: JsonNode) : obj =
    let malformed () =
        let place = if isNull node then "$" else node.GetPath()
        raise (MalformedIr $"expected {kind.Name.ToLowerInvariant()} at {place}")

    let primitive () : 'a =
        match node with
        | :? JsonValue as value ->
            match value.TryGetValue<'a>() with
            | true, result -> result
            | _ -> malformed ()
        | _ -> malformed ()

    let field (object: JsonObject) (name: string) (kind: Type) =
        let earlier = Map.tryFind name earlierNames

        if object.ContainsKey(camel name) then
            read kind object[camel name]
        elif earlier |> Option.exists object.ContainsKey then
            read kind object[earlier.Value]
        elif addedSince.ContainsKey name then
            addedSince[name]
        elif isOption kind then
            null
        else
            raise (MalformedIr $"'{camel name}' is missing at {object.GetPath()}")

    if kind = typeof<string> then
        box (primitive (): string)
    elif kind = typeof<int> then
        box (primitive (): int)
    elif kind = typeof<int64> then
        box (primitive (): int64)
    elif kind = typeof<bool> then
        box (primitive (): bool)
    elif kind = typeof<float> then
        box (primitive (): float)
    elif isList kind then
        let item = kind.GetGenericArguments()[0]
        let unionCases = cases kind

        match node with
        | :? JsonArray as array ->
            (FSharpValue.MakeUnion(unionCases[0], [||]), Seq.rev array)
            ||> Seq.fold (fun tail element -> FSharpValue.MakeUnion(unionCases[1], [| read item element; tail |]))
        | _ -> malformed ()
    elif isOption kind then
        if isNull node then
            null
        else
            FSharpValue.MakeUnion((cases kind)[1], [| read (kind.GetGenericArguments()[0]) node |])
    elif FSharpType.IsRecord kind then
        match node with
        | :? JsonObject as object ->
            let fields = FSharpType.GetRecordFields kind
            FSharpValue.MakeRecord(kind, fields |> Array.map (fun f -> field object f.Name f.PropertyType))
        | _ -> malformed ()
    else
        let find name =
            match cases kind |> Array.tryFind (fun case -> case.Name = name) with
            | Some case -> case
            | None -> raise (MalformedIr $"'{name}' is unknown at {node.GetPath()}; it may come from a newer version")

        match node with
        | :? JsonObject as object ->
            let case = find (field object "case" typeof<string> :?> string)
            FSharpValue.MakeUnion(case, case.GetFields() |> Array.map (fun f -> field object f.Name f.PropertyType))
        | _ -> FSharpValue.MakeUnion(find (primitive (): string), [||])

/// `program` or a recipe as JSON.
let toJson<'a> (value: 'a) : JsonNode = write typeof<'a> (box value)

/// Raises `MalformedIr` where the JSON is of another form.
let ofJson<'a> (node: JsonNode) : 'a = read typeof<'a> node :?> 'a
