namespace CnnSpec.Spec.Tests.Ir

open NUnit.Framework
open Microsoft.FSharp.Reflection
open CnnSpec.Operators
open CnnSpec.Elaborate
open CnnSpec.Ir
open CnnSpec.Shape
open CnnSpec.Spec.Tests.Compiling

/// A new operation must be reachable from a spec, have a shape, a cost and a JSON form. F# checks the matches; this checks
/// the tables.
[<TestFixture>]
type OpTests() =

    static let caseName (op: Op) =
        (fst (FSharpValue.GetUnionFields(op, typeof<Op>))).Name

    static let cases = FSharpType.GetUnionCases typeof<Op> |> Array.map _.Name |> Array.toList

    /// A value for a field of an operation: nothing equal to a default, so that a lost field shows.
    static let rec sample (kind: System.Type) : obj =
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

    static member Cases = cases
    static member Operators = Catalog.operators |> List.map _.Signature.Name

    /// The program of an operator's own example, on a `[16, 20, 28]` map as the table promises.
    static member private Example(name: string) =
        program (inNetwork "16 x 20 x 28" (Catalog.tryFind name).Value.Example)

    [<TestCaseSource(nameof OpTests.Cases)>]
    member _.``an operation survives JSON``(name: string) =
        let case =
            FSharpType.GetUnionCases typeof<Op> |> Array.find (fun c -> c.Name = name)

        let op =
            FSharpValue.MakeUnion(case, case.GetFields() |> Array.map (fun f -> sample f.PropertyType)) :?> Op

        let json = (IrJson.toJson op).ToJsonString()
        let back: Op = IrJson.ofJson (System.Text.Json.Nodes.JsonNode.Parse json)
        Assert.That(back, Is.EqualTo op)

    [<Test>]
    member _.``every operation can be written in a spec``() =
        let built =
            OpTests.Operators
            |> List.collect (fun name -> OpTests.Example(name).Nodes |> List.map (fun n -> caseName n.Op))

        let byCombinators = [ "Input"; "Concat"; "Add"; "Multiply" ]

        Assert.That(cases |> List.filter (fun case -> not (List.contains case (built @ byCombinators))), Is.Empty)

    [<TestCaseSource(nameof OpTests.Operators)>]
    member _.``an operator's example compiles, keeps to its shapes, and costs what its weights say``(name: string) =
        let program = OpTests.Example name
        let shapesOf = Program.inputShapes program

        for node in program.Nodes.Tail do
            let inputs = shapesOf node
            Assert.That((Infer.output node.Op inputs = Ok node.Shape), node.Path)
            Assert.That(Cost.macs node.Op inputs node.Shape, Is.GreaterThanOrEqualTo 0L)
            let weights = Weights.ofOp node.Op inputs

            Assert.That(node.Weights |> List.map _.Shape, Is.EqualTo<Shape list>(weights |> List.map _.Shape))

    [<TestCaseSource(nameof OpTests.Operators)>]
    member _.``an operator is documented``(name: string) =
        let operator = (Catalog.tryFind name).Value
        Assert.That(operator.Summary, Is.Not.Empty)

        for parameter in operator.Signature.Parameters do
            Assert.That(parameter.Doc, Is.Not.Empty, parameter.Name)

            match parameter.Default with
            | Some Nothing
            | None -> ()
            | Some value -> Assert.That(Parameter.fit parameter.Type value, Is.EqualTo Parameter.Fits, parameter.Name)

    [<Test>]
    member _.``padding that differs between sides becomes a padding of its own``() =
        let program = program (inNetwork "3 x 8 x 9" "conv(4, kernel=2, padding=\"same\")")

        Assert.That(program.Nodes |> List.map _.Operator, Is.EqualTo<string list> [ "input"; "pad"; "conv" ])
        Assert.That(program.Nodes[1].Shape, Is.EqualTo<Shape> [ 3L; 9; 10 ])
        Assert.That(Program.outputShape program, Is.EqualTo<Shape> [ 4L; 8; 9 ])

    [<TestCase("{}")>]
    [<TestCase("[]")>]
    [<TestCase("{\"network\": 3}")>]
    [<TestCase("null")>]
    member _.``JSON of another form is refused with its place, not with an exception of the runtime``(json: string) =
        let refused =
            try
                IrJson.ofJson<Program>(System.Text.Json.Nodes.JsonNode.Parse json) |> ignore
                false
            with IrJson.MalformedIr _ ->
                true

        Assert.That refused
