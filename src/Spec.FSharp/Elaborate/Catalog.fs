/// THE operator table: every layer that a spec can name, its parameters, its documentation, and the operation it makes.
/// The parser needs none of it, the checker reads the parameters, elaboration calls `Build`, the language reference and
/// the tests are written from it. The entries stand in the files of their families.
module CnnSpec.Elaborate.Catalog

open System.Collections.Generic

/// Every operator, in the order of the language reference.
let operators: Operator list =
    List.concat
        [
            Convolutions.all
            Pooling.all
            Normalisations.all
            Activations.all
            Regularisers.all
            Shapers.all
        ]

let private byName =
    let table = Dictionary<string, Operator>()

    for operator in operators do
        table[operator.Signature.Name] <- operator

    table

let tryFind name =
    match byName.TryGetValue name with
    | true, operator -> Some operator
    | _ -> None

let names: string list = operators |> List.map _.Signature.Name
