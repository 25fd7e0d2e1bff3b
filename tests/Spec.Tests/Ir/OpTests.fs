/// A new operation must be reachable from a spec, have a shape, a cost and a JSON form. F# checks the matches; this checks
/// the tables.
module CnnSpec.Spec.Tests.Ir.OpTests

open Microsoft.FSharp.Reflection
open CnnSpec.Operators
open CnnSpec.Elaborate
open CnnSpec.Ir
open CnnSpec.Shape
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private caseName (op: Op) =
    (fst (FSharpValue.GetUnionFields(op, typeof<Op>))).Name

let private operations =
    FSharpType.GetUnionCases typeof<Op> |> Array.map _.Name |> Array.toList

/// A value for a field of an operation: nothing equal to a default, so that a lost field shows.
let rec private sample (kind: System.Type) : obj =
    if kind = typeof<int> then
        3
    elif kind = typeof<int64> then
        5L
    elif kind = typeof<float> then
        0.125
    elif kind = typeof<bool> then
        true
    elif kind.IsGenericType && kind.GetGenericTypeDefinition() = typedefof<_ list> then
        let item = kind.GetGenericArguments()[0]
        let cases = FSharpType.GetUnionCases kind
        FSharpValue.MakeUnion(cases[1], [| sample item; FSharpValue.MakeUnion(cases[0], [||]) |])
    elif FSharpType.IsRecord kind then
        FSharpValue.MakeRecord(kind, FSharpType.GetRecordFields kind |> Array.map (fun f -> sample f.PropertyType))
    else
        let last = FSharpType.GetUnionCases kind |> Array.last
        FSharpValue.MakeUnion(last, last.GetFields() |> Array.map (fun f -> sample f.PropertyType))

let private operators = Catalog.operators |> List.map _.Signature.Name

/// The program of an operator's own example, on a `[16, 20, 28]` map as the table promises.
let private example (name: string) =
    program (inNetwork "16 x 20 x 28" (Catalog.tryFind name).Value.Example)

[<Tests>]
let tests =
    testList
        "operations"
        [
            cases "an operation survives JSON" operations
            <| fun (name: string) ->
                let case =
                    FSharpType.GetUnionCases typeof<Op> |> Array.find (fun c -> c.Name = name)

                let op =
                    FSharpValue.MakeUnion(case, case.GetFields() |> Array.map (fun f -> sample f.PropertyType)) :?> Op

                let json = (IrJson.toJson op).ToJsonString()
                let back: Op = IrJson.ofJson (System.Text.Json.Nodes.JsonNode.Parse json)
                Expect.equal back op "it comes back as it was"

            testCase "every operation can be written in a spec"
            <| fun () ->
                let built =
                    operators |> List.collect (fun name -> (example name).Nodes |> List.map (fun n -> caseName n.Op))

                let byCombinators = [ "Input"; "Concat"; "Add"; "Multiply" ]

                Expect.isEmpty
                    (operations |> List.filter (fun case -> not (List.contains case (built @ byCombinators))))
                    "operations that no operator makes"

            cases "an operator's example compiles, keeps to its shapes, and costs what its weights say" operators
            <| fun (name: string) ->
                let program = example name
                let shapesOf = Program.inputShapes program

                for node in program.Nodes.Tail do
                    let inputs = shapesOf node
                    Expect.isTrue (Infer.output node.Op inputs = Ok node.Shape) node.Path
                    Expect.isGreaterThanOrEqual (Cost.macs node.Op inputs node.Shape) 0L "multiply-accumulates"
                    let weights = Weights.ofOp node.Op inputs

                    Expect.equal (node.Weights |> List.map _.Shape) (weights |> List.map _.Shape) "the weights' shapes"

            cases
                "multiply-accumulates are as counted by hand"
                [
                    "conv(8, kernel=[3, 5], groups=4, padding=[1, 2])", 8L * 20L * 28L * (4L * 15L)
                    "conv(8, kernel=3, stride=2)", 8L * 9L * 13L * (16L * 9L)
                    "conv_transpose(4, kernel=2, stride=2, groups=2)", 16L * 20L * 28L * (2L * 4L)
                    "flatten; linear(10)", 16L * 20L * 28L * 10L
                    "batch_norm; relu; max_pool(2)", 0L
                ]
            <| fun (body: string, expected: int64) ->
                let totals = Summary.totals (program (inNetwork "16 x 20 x 28" body))
                Expect.equal totals.Macs expected "multiply-accumulates"

            cases "an operator is documented" operators
            <| fun (name: string) ->
                let operator = (Catalog.tryFind name).Value
                Expect.isNotEmpty operator.Summary "the summary"

                for parameter in operator.Signature.Parameters do
                    Expect.isNotEmpty parameter.Doc parameter.Name

                    match parameter.Default with
                    | Some Nothing
                    | None -> ()
                    | Some value -> Expect.equal (Parameter.fit parameter.Type value) Parameter.Fits parameter.Name

            testCase "padding that differs between sides becomes a padding of its own"
            <| fun () ->
                let program = program (inNetwork "3 x 8 x 9" "conv(4, kernel=2, padding=\"same\")")

                Expect.equal (program.Nodes |> List.map _.Operator) [ "input"; "pad"; "conv" ] "the operations"
                Expect.equal (program.Nodes[1].Shape) [ 3L; 9; 10 ] "the padding's shape"
                Expect.equal (Program.outputShape program) [ 4L; 8; 9 ] "the output's shape"

            cases
                "JSON of another form is refused with its place, not with an exception of the runtime"
                [ "{}"; "[]"; "{\"network\": 3}"; "null" ]
            <| fun (json: string) ->
                let refused =
                    try
                        IrJson.ofJson<Program>(System.Text.Json.Nodes.JsonNode.Parse json) |> ignore
                        false
                    with IrJson.MalformedIr _ ->
                        true

                Expect.isTrue refused "it is refused"
        ]
