/// The networks of the reference set. Their parameters were counted on independent PyTorch models.
module CnnSpec.Spec.Tests.Ir.ReferenceTests

open CnnSpec.Ir
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Compiling
open CnnSpec.Spec.Tests.Testing
open Expecto

let private counts =
    [
        "densenet", 239_146L
        "resnet", 272_378L
        "preact-resnet", 272_250L
        "googlenet", 260_650L
        "mnist/lenet5", 61_706L
        "mnist/convnet", 9_098L
        "cifar10/lenet5", 62_006L
        "cifar10/resnet18-small", 347_498L
        "cifar10/resnet18", 9_553_674L
        "fashion-mnist/lenet", 61_706L
        "fashion-mnist/alexnet", 46_764_746L
        "fashion-mnist/nin", 1_992_166L
        "fashion-mnist/googlenet", 5_977_530L
        "fashion-mnist/resnet18", 11_178_378L
        "fashion-mnist/densenet", 758_226L
        "imagenet/alexnet", 61_100_840L
        "imagenet/vgg16", 138_357_544L
        "imagenet/inception-v3", 27_161_264L
        "imagenet/resnet18", 11_689_512L
    ]

[<Tests>]
let tests =
    testList
        "reference networks"
        [
            cases "a spec has as many parameters as the published network" counts
            <| fun (name: string, parameters: int64) ->
                let network = List.exactlyOne (compileFile $"specs/{name}.cnn").Networks
                Expect.equal (Program.parameters network.Program) parameters "parameters"

            cases "every spec of the repository compiles without an error" (Repository.networks ())
            <| fun (file: string) ->
                let compilation = compileFile file
                Expect.isFalse compilation.HasErrors (rendered compilation)

            cases "a program written as JSON and read again is the same program" (Repository.networks ())
            <| fun (file: string) ->
                for network in (compileFile file).Networks do
                    let json = (IrJson.toJson network.Program).ToJsonString()
                    let back: Program = IrJson.ofJson (System.Text.Json.Nodes.JsonNode.Parse json)
                    Expect.isTrue (back = network.Program) "it comes back as it was"

                    for recipe in network.Recipes do
                        let json = (IrJson.toJson recipe).ToJsonString()
                        let back: Recipe = IrJson.ofJson (System.Text.Json.Nodes.JsonNode.Parse json)
                        Expect.isTrue (back = recipe) "it comes back as it was"

            testCase "a program written by version 0.1 is read"
            <| fun () ->
                let program =
                    (List.exactlyOne (compileFile "specs/mnist/lenet5.cnn").Networks).Program

                let json = (IrJson.toJson program).ToJsonString()
                let earlier = json.Replace("\"trainable\":", "\"learnt\":")
                let back: Program = IrJson.ofJson (System.Text.Json.Nodes.JsonNode.Parse earlier)
                Expect.notEqual earlier json "the field has a new name"
                Expect.isTrue (back = program) "it comes back as it was"
        ]
